//! Where tests find the public test vectors, which are not part of this repository.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

/// Text of a vector file, or `None`, said aloud, if the vectors are not there.
pub(crate) fn text(path: &str) -> Option<String> {
    let root = std::env::var_os("CAIRN_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors")),
        PathBuf::from,
    );
    let text = fs::read_to_string(root.join(path)).ok();
    if text.is_none() {
        // Not by `eprintln`: the test runner would swallow what a passing test prints.
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: {path}: no vectors at {}; CAIRN_VECTORS names their directory",
            root.display()
        );
    }
    text
}

/// A vector file of JSON.
pub(crate) fn json(path: &str) -> Option<serde_json::Value> {
    text(path).map(|text| serde_json::from_str(&text).expect("vectors are JSON"))
}
