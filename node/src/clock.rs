//! The only place where the node reads a clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::core::Now;

/// The wall clock.
pub fn now() -> Now {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Now {
        ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
    }
}
