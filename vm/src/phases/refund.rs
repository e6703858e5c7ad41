//! What of the gas is charged in the end.

use super::run::Ran;
use crate::gas::MAX_REFUND_QUOTIENT;

/// The gas that a transaction pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GasBill {
    pub used: u64,
    /// Given back by EIP-3529, before the floor was applied.
    pub refunded: u64,
}

/// Settles the gas of a run.
pub(crate) fn settle(gas_limit: u64, ran: &Ran, refund_counter: i64, floor: u64) -> GasBill {
    bill(
        gas_limit.saturating_sub(ran.frame.gas_left),
        refund_counter,
        floor,
    )
}

fn bill(spent: u64, refund_counter: i64, floor: u64) -> GasBill {
    // EIP-3529: "Reduce the max gas refunded after a transaction to gas_used // MAX_REFUND_QUOTIENT".
    let earned = u64::try_from(refund_counter).unwrap_or(0);
    let refunded = earned.min(spent / MAX_REFUND_QUOTIENT);
    // EIP-7623: the floor is compared with the gas after refunds.
    let used = spent.saturating_sub(refunded).max(floor);
    GasBill { used, refunded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refunds_are_capped_to_a_fifth() {
        assert_eq!(
            bill(100_000, 12_500, 21_000),
            GasBill {
                used: 87_500,
                refunded: 12_500
            }
        );
        assert_eq!(
            bill(100_000, 20_001, 21_000),
            GasBill {
                used: 80_000,
                refunded: 20_000
            }
        );
    }

    #[test]
    fn a_negative_counter_refunds_nothing() {
        assert_eq!(
            bill(50_000, -1, 21_000),
            GasBill {
                used: 50_000,
                refunded: 0
            }
        );
    }

    #[test]
    fn the_floor_is_applied_after_refunds() {
        assert_eq!(
            bill(50_000, 10_000, 45_000),
            GasBill {
                used: 45_000,
                refunded: 10_000
            }
        );
    }
}
