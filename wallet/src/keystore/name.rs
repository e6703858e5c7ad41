//! File names as geth writes them: `UTC--2026-01-31T12-34-56.789000000Z--<address>`.

use std::time::SystemTime;

use alloy_primitives::{Address, hex};

use crate::calendar::Utc;

/// The name of a new key file. It sorts by time and differs for every nanosecond and address.
pub(super) fn file_name(now: SystemTime, address: Address) -> String {
    let Utc {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = Utc::from_system_time(now);
    let nanos = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |age| age.subsec_nanos());
    let address = hex::encode(address);
    format!(
        "UTC--{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}.{nanos:09}Z--{address}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn looks_like_geth_s() {
        let now = SystemTime::UNIX_EPOCH + Duration::new(1_709_210_096, 7_000);
        assert_eq!(
            file_name(now, Address::repeat_byte(0xab)),
            format!("UTC--2024-02-29T12-34-56.000007000Z--{}", "ab".repeat(20))
        );
    }
}
