//! How much gas a run would have needed at the least, read off a run that had plenty.

use cairn_vm::gas::CALL_STIPEND;
use cairn_vm::trace::{Enter, Exited, FrameKind, Tracer};

/// Watches calls begin and end.
///
/// A frame needs what it used, and more where it calls others: EIP-150 hands on "all but one
/// 64th" of what is left, so at each call so much had to be left that the callee could have
/// what it needed. That is exact unless code looks at its gas.
#[derive(Debug, Default)]
pub struct Need {
    open: Vec<Open>,
    outermost: Option<Open>,
}

/// A call that has begun.
#[derive(Debug)]
struct Open {
    gas: u64,
    stipend: u64,
    /// What its caller had left, before it handed on some of that.
    left: u64,
    need: u64,
}

impl Need {
    /// The gas limit that would have sufficed, of a run with the limit `had`; `None` if that run
    /// failed.
    pub fn limit(&self, had: u64) -> Option<u64> {
        let outermost = self.outermost.as_ref()?;
        let too_much = outermost.gas.saturating_sub(outermost.need);
        Some(had.saturating_sub(too_much))
    }
}

impl Tracer for Need {
    const STEPS: bool = false;

    fn enter(&mut self, enter: &Enter<'_>) {
        let moves_value = matches!(enter.kind, FrameKind::Call | FrameKind::CallCode);
        let is_inner = !self.open.is_empty();
        let paid = is_inner && moves_value && !enter.value.is_zero();
        let stipend = if paid { CALL_STIPEND } else { 0 };
        self.open.push(Open {
            gas: enter.gas,
            stipend,
            left: enter
                .caller_gas
                .saturating_add(enter.gas.saturating_sub(stipend)),
            need: 0,
        });
    }

    /// A call that failed, and whose caller went on, has no need: it may as well fail earlier.
    fn exit(&mut self, exit: &Exited<'_>) {
        let Some(mut callee) = self.open.pop().filter(|_| exit.status.is_success()) else {
            return;
        };
        callee.need = callee.need.max(exit.gas_used);
        match self.open.last_mut() {
            None => self.outermost = Some(callee),
            Some(caller) => {
                let spent_before = caller.gas.saturating_sub(callee.left);
                let left = all_but_one_64th_is(callee.need.saturating_sub(callee.stipend));
                caller.need = caller.need.max(spent_before.saturating_add(left));
            }
        }
    }
}

/// The least gas of which all but one 64th is `gas`.
fn all_but_one_64th_is(gas: u64) -> u64 {
    gas.saturating_add(gas.saturating_sub(1) / 63)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, U256};
    use cairn_vm::Status;

    use super::*;

    #[test]
    fn no_less_than_that_leaves_enough() {
        for gas in (0..10_000).chain([22_105, 1 << 24]) {
            let left = all_but_one_64th_is(gas);
            assert_eq!(left - left / 64, gas);
            assert!(left == 0 || left - 1 - (left - 1) / 64 < gas);
        }
    }

    fn enter(need: &mut Need, gas: u64, caller_gas: u64, value: u64) {
        need.enter(&Enter {
            kind: FrameKind::Call,
            from: Address::ZERO,
            to: Address::ZERO,
            value: U256::from(value),
            gas,
            caller_gas,
            input: &[],
            is_precompile: false,
        });
    }

    fn exit(need: &mut Need, status: Status, gas_used: u64) {
        let output = &[];
        need.exit(&Exited {
            status,
            gas_used,
            output,
        });
    }

    /// 10,000 gas; 3,600 are spent when 6,400 are left, of which 100 stay behind.
    fn with_call(value: u64, status: Status, callee_used: u64, used: u64) -> Option<u64> {
        let mut need = Need::default();
        enter(&mut need, 10_000, 0, 1);
        let stipend = if value > 0 { CALL_STIPEND } else { 0 };
        enter(&mut need, 6_300 + stipend, 100, value);
        exit(&mut need, status, callee_used);
        exit(&mut need, Status::Success, used);
        need.limit(10_000)
    }

    #[test]
    fn a_caller_needs_a_64th_more_than_its_callee() {
        assert_eq!(with_call(0, Status::Success, 630, 4_230), Some(3_600 + 639));
        assert_eq!(
            with_call(0, Status::Success, 630, 5_000),
            Some(5_000),
            "it used more later"
        );
        assert_eq!(
            with_call(1, Status::Success, 2_930, 4_230),
            Some(3_600 + 639)
        );
        assert_eq!(
            with_call(1, Status::Success, 2_000, 3_600),
            Some(3_600),
            "all of it was free"
        );
        assert_eq!(with_call(0, Status::Revert, 6_300, 9_900), Some(9_900));
    }

    #[test]
    fn what_failed_has_no_need() {
        let mut need = Need::default();
        enter(&mut need, 10_000, 0, 0);
        exit(&mut need, Status::Revert, 500);
        assert_eq!(need.limit(10_000), None);
    }
}
