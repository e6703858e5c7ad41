//! The subsidy: the only source of coins after genesis.

use alloy_primitives::U256;

/// What the beneficiary of block `number` is credited after its last transaction, in wei (R-REW-1):
/// `initial >> min(255, number / halving_interval)`, without halving if the interval is 0. The
/// genesis block has no subsidy.
pub fn subsidy(initial: U256, halving_interval: u64, number: u64) -> U256 {
    match number {
        0 => U256::ZERO,
        _ => initial >> era(halving_interval, number),
    }
}

/// The sum of the subsidies of blocks 1 to `number`, in wei.
pub(crate) fn subsidies_until(initial: U256, halving_interval: u64, number: u64) -> U256 {
    let mut total = U256::ZERO;
    let mut first = 1;
    while first <= number {
        let era = era(halving_interval, first);
        let last = match halving_interval.checked_mul(era + 1) {
            Some(next_era) if halving_interval > 0 && era < 255 => number.min(next_era - 1),
            _ => number,
        };
        let blocks = U256::from(last - first + 1);
        total = total.saturating_add((initial >> era).saturating_mul(blocks));
        first = last.saturating_add(1);
        if last == u64::MAX {
            break;
        }
    }
    total
}

fn era(halving_interval: u64, number: u64) -> u64 {
    number.checked_div(halving_interval).unwrap_or(0).min(255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_rew_1_the_subsidy_halves() {
        let subsidy = |number| subsidy(U256::from(100), 10, number);
        let subsidies = [0, 1, 9, 10, 19, 20, 69, 70, u64::MAX].map(subsidy);
        assert_eq!(
            subsidies,
            [0, 100, 100, 50, 50, 25, 1, 0, 0].map(U256::from)
        );
        assert_eq!(
            super::subsidy(U256::MAX, 1, 300),
            U256::ONE,
            "the shift stops at 255"
        );
        assert_eq!(
            super::subsidy(U256::from(7), 0, u64::MAX),
            U256::from(7),
            "0: never halves"
        );
    }

    #[test]
    fn r_rew_3_the_sum_is_that_of_the_blocks() {
        for interval in [0, 1, 3, 10] {
            let mut sum = U256::ZERO;
            for number in 0..400 {
                sum += subsidy(U256::from(1_000_000), interval, number);
                let total = subsidies_until(U256::from(1_000_000), interval, number);
                assert_eq!(total, sum, "interval {interval}, block {number}");
            }
        }
        let forever = subsidies_until(U256::from(2), 0, u64::MAX);
        assert_eq!(forever, U256::from(2) * U256::from(u64::MAX));
    }
}
