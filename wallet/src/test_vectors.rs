//! Finds published test vectors, for tests only.

use std::path::PathBuf;

/// The text of `name` below `small/` in the directory of vectors (`CAIRN_VECTORS`), or none, with
/// a visible note that `what` was not tested.
pub(crate) fn read(what: &str, name: &str) -> Option<String> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors");
    let root =
        std::env::var_os("CAIRN_VECTORS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = root.join("small").join(name);
    if !path.exists() {
        eprintln!(
            "SKIPPED: {what}: no vectors at {}; CAIRN_VECTORS names their directory",
            path.display()
        );
        return None;
    }
    Some(std::fs::read_to_string(&path).expect("the vectors can be read"))
}
