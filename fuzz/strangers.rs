//! The bytes choose what strangers say to the network machine: its limits hold.
#![no_main]

use std::sync::{Arc, LazyLock};

use cairn_fuzz::Choices;
use cairn_fuzz::strangers::{Given, Strangers};
use libfuzzer_sys::fuzz_target;

static GIVEN: LazyLock<Arc<Given>> = LazyLock::new(|| Arc::new(Given::new()));

/// A step takes about as many bytes.
const BYTES_PER_STEP: usize = 32;

fuzz_target!(|bytes: &[u8]| {
    let mut strangers = Strangers::new(Choices(bytes), Arc::clone(&GIVEN));
    for _ in 0..bytes.len() / BYTES_PER_STEP {
        strangers.step();
    }
});
