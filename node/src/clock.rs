//! The only place where the node reads a clock.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::core::Now;
use crate::network::Time;

/// The wall clock.
pub fn now() -> Now {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Now {
        ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
    }
}

/// The same, beside a clock that goes on whatever becomes of it.
pub fn time() -> Time {
    static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
    Time {
        ms: u64::try_from(BEGAN.elapsed().as_millis()).unwrap_or(u64::MAX),
        wall: now(),
    }
}
