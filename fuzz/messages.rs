//! Every decoder of the wire reads the bytes: none panics or accepts a second encoding.
#![no_main]

use std::path::Path;

use cairn_fuzz::messages::{read_by_all, samples};
use libfuzzer_sys::fuzz_target;

/// A valid message of each kind, to begin with.
fn write_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/messages");
    std::fs::create_dir_all(&corpus).expect("the corpus is writable");
    for (index, sample) in samples().iter().enumerate() {
        std::fs::write(corpus.join(format!("sample-{index}")), sample)
            .expect("the corpus is writable");
    }
}

fuzz_target!(init: write_corpus(), |bytes: &[u8]| {
    read_by_all(bytes);
});
