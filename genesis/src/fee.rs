//! The base fee: EIP-1559, with a floor.

/// Gas target of a block is its limit divided by this (EIP-1559's elasticity multiplier).
const ELASTICITY: u64 = 2;
/// The base fee moves by at most one part in this many from block to block.
const MAX_CHANGE_DENOMINATOR: u128 = 8;

/// Base fee of the child of a block, in wei per gas (R-FEE-2): EIP-1559 with a gas target of half
/// the limit, saturating at `u64::MAX`, and never below `floor`.
pub fn next_base_fee(base_fee: u64, gas_used: u64, gas_limit: u64, floor: u64) -> u64 {
    let target = gas_limit / ELASTICITY;
    let next = if gas_used >= target {
        let change = match gas_used - target {
            0 => 0,
            above => change(base_fee, above, target).max(1),
        };
        base_fee.saturating_add(change)
    } else {
        base_fee.saturating_sub(change(base_fee, target - gas_used, target))
    };
    next.max(floor)
}

/// `base_fee × distance / target / 8`, rounded down twice as EIP-1559 does.
fn change(base_fee: u64, distance: u64, target: u64) -> u64 {
    let product = u128::from(base_fee) * u128::from(distance);
    let change = product / u128::from(target.max(1)) / MAX_CHANGE_DENOMINATOR;
    u64::try_from(change).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_fee_2_ethereums_table() {
        // go-ethereum, `consensus/misc/eip1559/eip1559_test.go`: usage at, below, above the target.
        let next = |gas_used| next_base_fee(1_000_000_000, gas_used, 20_000_000, 0);
        assert_eq!(next(10_000_000), 1_000_000_000);
        assert_eq!(next(9_000_000), 987_500_000);
        assert_eq!(next(11_000_000), 1_012_500_000);
        assert_eq!(next(0), 875_000_000);
        assert_eq!(next(20_000_000), 1_125_000_000);
    }

    #[test]
    fn r_fee_2_small_fees_rise_by_at_least_1_and_stay_above_the_floor() {
        assert_eq!(next_base_fee(1, 11, 20, 0), 2);
        assert_eq!(next_base_fee(7, 0, 20, 0), 7);
        assert_eq!(next_base_fee(1_000, 0, 20, 900), 900);
        assert_eq!(next_base_fee(1_000, 0, 20, 800), 875);
    }

    #[test]
    fn r_fee_2_saturates() {
        assert_eq!(next_base_fee(u64::MAX, 20, 20, 0), u64::MAX);
        assert_eq!(next_base_fee(u64::MAX, u64::MAX, 1, 0), u64::MAX);
        assert_eq!(
            next_base_fee(u64::MAX, 0, u64::MAX, 0),
            u64::MAX - u64::MAX / 8
        );
    }
}
