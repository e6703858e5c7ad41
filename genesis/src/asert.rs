//! The difficulty algorithm: aserti3-2d (Bitcoin Cash, CHIP-2020-11 "ASERT"), with two additions
//! for networks that sleep.
//!
//! ASERT looks at the anchor only: the target doubles for each half-life that the chain is behind
//! its schedule, and halves for each that it is ahead.
//!
//! - **Gap cap:** of a pause longer than `gap_cap`, the excess is *skipped*: it is taken off all
//!   later times, so that neither a long pause nor an old genesis leaves a debt of easy blocks.
//! - **Stall relief:** a block that comes `n` times `stall_relief` after its parent may have a target
//!   `2^(n(n+1)/2)` times as large: a network that lost its hash rate frees itself.

use alloy_primitives::{U256, aliases::U512};

use crate::{pow::Target, spec::ParentTimes};

/// The parameters, as they stand under `asert` in a chain spec. Times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asert {
    /// The easiest target that a block may have.
    pub pow_limit: Target,
    /// Intended time between blocks.
    pub spacing: u64,
    /// How far behind schedule the target doubles.
    pub half_life: u64,
    /// Time without a block after which targets grow; see the module.
    pub stall_relief: u64,
    /// Longest pause that counts in full.
    pub gap_cap: u64,
}

/// The block from which the schedule is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsertAnchor {
    /// Its height.
    pub height: u64,
    /// Its target.
    pub target: Target,
    /// Timestamp of its parent.
    pub parent_time: i128,
}

/// `2^16`: exponents are fixed-point numbers with 16 fractional bits.
const RADIX: i128 = 1 << 16;

impl Asert {
    /// Time that the block at `timestamp` adds to the skipped time (R-DIF-5).
    pub fn skipped_by(&self, parent_timestamp: u64, timestamp: u64) -> u64 {
        timestamp
            .saturating_sub(parent_timestamp)
            .saturating_sub(self.gap_cap)
    }

    /// The target of the child, at `timestamp`, of a block: plain ASERT on the parent's time less
    /// what was skipped, then stall relief (R-DIF-4, R-DIF-6).
    pub fn child_target(
        &self,
        anchor: &AsertAnchor,
        parent: &ParentTimes,
        timestamp: u64,
    ) -> Target {
        let counted_time = i128::from(parent.timestamp) - i128::from(parent.skipped);
        let target = self.plain_target(anchor, parent.number, counted_time);
        let pause = timestamp.saturating_sub(parent.timestamp);
        self.relieved(target, pause)
    }

    /// aserti3-2d to the bit: the target of the child of the block at `height` and `time`.
    pub fn plain_target(&self, anchor: &AsertAnchor, height: u64, time: i128) -> Target {
        let time_delta = time - anchor.parent_time;
        let height_delta = i128::from(height) - i128::from(anchor.height);
        let ahead = time_delta - i128::from(self.spacing) * (height_delta + 1);
        // The specification divides with truncation toward zero, and shifts arithmetically.
        let exponent = ahead * RADIX / i128::from(self.half_life);
        let shifts = (exponent >> 16) - 16;
        let factor = radix_power_of_two(exponent & (RADIX - 1));
        let product = U512::from(anchor.target.value()) * U512::from(factor);
        self.limited(shifted(product, shifts))
    }

    /// R-DIF-6: "with n = ⌊(timestamp − parent.timestamp) / stall_relief⌋ the target becomes
    /// min(pow_limit, target << min(255, n(n+1)/2))."
    fn relieved(&self, target: Target, pause: u64) -> Target {
        // 22 steps shift by 253 bits and 23 by more than 255: more steps change nothing.
        let steps = (pause / self.stall_relief).min(23);
        let shift = (steps * (steps + 1) / 2).min(255);
        let wide = U512::from(target.value()) << shift;
        self.limited(Some(wide))
    }

    /// The target, at least 1 and at most `pow_limit`; `None` is a value beyond any limit.
    fn limited(&self, value: Option<U512>) -> Target {
        let limit = self.pow_limit.value();
        match value {
            Some(value) if value <= U512::from(limit) => Target::new(U256::from(value)),
            _ => self.pow_limit,
        }
    }
}

/// `2^16 × 2^(fraction / 2^16)` by the cubic of the specification; `fraction` is below `2^16`.
fn radix_power_of_two(fraction: i128) -> u128 {
    let fraction = fraction.unsigned_abs();
    let cubic = 195_766_423_245_049 * fraction
        + 971_821_376 * fraction.pow(2)
        + 5_127 * fraction.pow(3)
        + (1 << 47);
    (1 << 16) + (cubic >> 48)
}

/// `value × 2^shifts`, rounded down; `None` if it has more than 512 bits.
fn shifted(value: U512, shifts: i128) -> Option<U512> {
    let distance = usize::try_from(shifts.unsigned_abs()).unwrap_or(usize::MAX);
    if shifts <= 0 {
        // More than all bits may be asked for; then nothing is left.
        return Some(value >> distance.min(512));
    }
    let fits = value.bit_len().checked_add(distance)? <= 512;
    fits.then(|| value << distance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors;

    fn target(bits: u32) -> Target {
        Target::from_bits(bits).unwrap()
    }

    /// Bitcoin Cash's parameters.
    fn bitcoin_cash() -> Asert {
        Asert {
            pow_limit: target(0x1d00_ffff),
            spacing: 600,
            half_life: 2 * 24 * 3600,
            stall_relief: 1 << 40,
            gap_cap: 1 << 40,
        }
    }

    fn hex_word(text: &str) -> u32 {
        u32::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
    }

    /// Checks a run; returns its number of rows.
    fn check_run(text: &str) -> usize {
        let value = |key: &str| {
            let line = text.lines().find(|line| line.contains(key)).unwrap();
            line.rsplit(' ').next().unwrap()
        };
        let anchor = AsertAnchor {
            height: value("anchor height").parse().unwrap(),
            target: target(hex_word(value("anchor nBits"))),
            parent_time: value("anchor parent time").parse().unwrap(),
        };
        let is_row = |line: &&str| !line.is_empty() && !line.starts_with('#');
        let rows = text.lines().filter(is_row);
        let check = |row: &str| {
            let [_, height, time, bits] = row.split(' ').collect::<Vec<_>>()[..] else {
                panic!("not a row: {row}");
            };
            let (height, time) = (height.parse().unwrap(), time.parse().unwrap());
            let target = bitcoin_cash().plain_target(&anchor, height, time);
            assert_eq!(target.to_bits(), hex_word(bits), "{row}");
        };
        rows.map(check).count()
    }

    #[test]
    fn r_dif_4_all_vectors_of_aserti3_2d() {
        let mut rows = 0;
        for run in 1..=12 {
            let path = format!("small/aserti3-2d/run{run:02}");
            let Some(text) = vectors::text(&path) else {
                return;
            };
            rows += check_run(&text);
        }
        assert_eq!(rows, 14_000);
    }

    /// Two-second blocks with the limits of `devnet`.
    fn devnet() -> Asert {
        Asert {
            pow_limit: target(0x1f00_ffff),
            spacing: 2,
            half_life: 60,
            stall_relief: 120,
            gap_cap: 240,
        }
    }

    fn anchor() -> AsertAnchor {
        AsertAnchor {
            height: 0,
            target: target(0x1e07_ffff),
            parent_time: 998,
        }
    }

    fn parent(number: u64, timestamp: u64, skipped: u64) -> ParentTimes {
        ParentTimes {
            number,
            timestamp,
            skipped,
        }
    }

    fn child(parent: ParentTimes, timestamp: u64) -> U256 {
        devnet().child_target(&anchor(), &parent, timestamp).value()
    }

    #[test]
    fn r_dif_4_block_1_has_the_anchors_target_and_a_half_life_doubles_it() {
        let first = anchor().target.value();
        assert_eq!(child(parent(0, 1_000, 0), 1_002), first);
        assert_eq!(child(parent(1, 1_062, 0), 1_064), first << 1);
        assert_eq!(child(parent(31, 1_002, 0), 1_004), first >> 1);
    }

    #[test]
    fn r_dif_5_only_what_exceeds_the_gap_cap_is_skipped() {
        assert_eq!(devnet().skipped_by(1_000, 1_240), 0);
        assert_eq!(devnet().skipped_by(1_000, 1_241), 1);
        assert_eq!(devnet().skipped_by(1_000, 900), 0);
        // The block after a pause of ten years is no easier than after one of the gap cap.
        let years = 315_360_000;
        let late = child(parent(1, 1_002 + years, years - 240), 1_004 + years);
        assert_eq!(late, child(parent(1, 1_242, 0), 1_244));
    }

    #[test]
    fn r_dif_6_stall_relief_grows_by_triangular_numbers() {
        let first = anchor().target.value();
        let after = |pause| child(parent(0, 1_000, 0), 1_000 + pause);
        assert_eq!(after(119), first);
        assert_eq!(after(120), first << 1);
        assert_eq!(after(240), first << 3);
        let limit = devnet().pow_limit.value();
        assert_eq!(after(360), limit, "2^6 would be beyond the limit");
        assert_eq!(after(u64::MAX - 1_000), limit);
    }

    #[test]
    fn extreme_times_neither_panic_nor_leave_the_limits() {
        for number in [0, u64::MAX] {
            for timestamp in [0, u64::MAX] {
                for skipped in [0, u64::MAX] {
                    let parent = parent(number, timestamp, skipped);
                    let value = child(parent, u64::MAX);
                    assert!(!value.is_zero() && value <= devnet().pow_limit.value());
                }
            }
        }
    }
}
