//! The bytes choose what strangers say to the network machine: its limits hold.
#![no_main]

use cairn_fuzz::Choices;
use cairn_fuzz::strangers::Strangers;
use libfuzzer_sys::fuzz_target;

/// A step takes about as many bytes.
const BYTES_PER_STEP: usize = 32;

fuzz_target!(|bytes: &[u8]| {
    let mut strangers = Strangers::new(Choices(bytes));
    for _ in 0..bytes.len() / BYTES_PER_STEP {
        strangers.step();
    }
});
