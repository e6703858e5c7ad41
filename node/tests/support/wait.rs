//! Waiting in tests: until there is something to see, and never for a fixed time.

use std::thread;
use std::time::{Duration, Instant};

/// How long something may take that takes a moment: only what hangs takes longer, on
/// however busy a machine.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Between two looks at something that is awaited.
const PAUSE: Duration = Duration::from_millis(5);

/// Looks until there is something to see.
#[track_caller]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(PAUSE);
    }
}
