//! Each rule of admission accepts and rejects.

use super::*;
use crate::mempool::testing::{
    Bench, Broken, CHAIN_ID, DRAFT_COST, TIP, authorization, draft, ethereum, native,
};
use crate::mempool::{Limits, SenderState, Tip};

/// A bench whose pool has the default limits but for these.
fn bench_with(change: impl FnOnce(&mut Limits)) -> Bench {
    let mut limits = Limits::default();
    change(&mut limits);
    Bench::with_limits(limits)
}

#[test]
fn a_transaction_enters_once() {
    let mut bench = Bench::new();
    let transaction = draft(0).by(0);
    let hash = bench.enter(&transaction);
    assert!(bench.pool.contains(hash));
    assert_eq!(bench.pool.get(hash), Some(&transaction));
    assert_eq!(bench.pool.size_bytes(), transaction.envelope().len());
    assert_eq!(
        bench.admit(&transaction),
        Err(Refusal::AlreadyKnown { hash })
    );
}

#[test]
fn an_envelope_may_be_as_long_as_the_limit_says() {
    let transaction = draft(0).input(100).by(0);
    let got = transaction.envelope().len();
    bench_with(|limits| limits.max_transaction_bytes = got).enter(&transaction);
    let refused = bench_with(|limits| limits.max_transaction_bytes = got - 1).admit(&transaction);
    assert_eq!(
        refused,
        Err(Refusal::Oversized {
            got,
            expected: got - 1
        })
    );
}

#[test]
fn gas_is_bounded_by_the_blocks() {
    let tip = Tip {
        gas_limit: 50_000,
        ..TIP
    };
    let mut bench = Bench::new();
    bench.move_to(tip, &[], &[], &[]);
    bench.enter(&draft(0).gas(50_000).by(0));
    let refused = bench.admit(&draft(1).gas(50_001).by(0));
    assert_eq!(
        refused,
        Err(Refusal::GasLimit {
            got: 50_001,
            expected: 50_000
        })
    );
}

#[test]
fn a_max_fee_below_the_floor_can_never_be_mined() {
    let mut bench = bench_with(|limits| limits.base_fee_floor = 7);
    bench.enter(&draft(0).fees(7, 0).by(0));
    let refused = bench.admit(&draft(1).fees(6, 0).by(0));
    assert_eq!(
        refused,
        Err(Refusal::Underpriced {
            got: 6,
            expected: 7
        })
    );
}

#[test]
fn a_max_fee_below_the_present_base_fee_may_wait() {
    let mut bench = Bench::new();
    let hash = bench.enter(&draft(0).fees(9, 0).by(0));
    assert_eq!(bench.pool.pending_and_queued(), (1, 0));
    assert!(bench.best().is_empty());
    bench.set_base_fee(9);
    assert_eq!(bench.best(), [hash]);
}

#[test]
fn contracts_do_not_send() {
    let mut bench = Bench::new();
    let sender = native(0);
    bench.ledger.at(sender).code = AccountCode::Contract;
    assert_eq!(
        bench.admit(&draft(0).by(0)),
        Err(Refusal::SenderIsContract { sender })
    );
    bench.ledger.at(sender).code = AccountCode::None;
    bench.enter(&draft(0).by(0));
}

#[test]
fn used_nonces_are_refused() {
    let mut bench = Bench::new();
    let sender = native(0);
    bench.ledger.at(sender).nonce = 5;
    let refused = bench.admit(&draft(4).by(0));
    assert_eq!(
        refused,
        Err(Refusal::NonceTooLow {
            sender,
            got: 4,
            expected: 5
        })
    );
    bench.enter(&draft(5).by(0));
}

#[test]
fn a_nonce_gap_has_a_bound() {
    let mut bench = Bench::new();
    let sender = native(0);
    bench.ledger.at(sender).nonce = 5;
    bench.enter(&draft(69).by(0));
    let refused = bench.admit(&draft(70).by(0));
    assert_eq!(
        refused,
        Err(Refusal::NonceTooHigh {
            sender,
            got: 70,
            expected: 69,
            account: 5
        })
    );
    assert_eq!(bench.pool.pending_and_queued(), (0, 1));
    assert_eq!(bench.pool.next_nonce(sender), Some(5));
}

#[test]
fn a_gap_that_is_filled_makes_the_rest_pending() {
    let mut bench = Bench::new();
    let second = bench.enter(&draft(1).by(0));
    assert!(bench.best().is_empty());
    let first = bench.enter(&draft(0).by(0));
    assert_eq!(bench.best(), [first, second]);
    assert_eq!(bench.pool.next_nonce(native(0)), Some(2));
    assert_eq!(bench.pool.next_nonce(native(1)), None);
}

#[test]
fn a_replacement_raises_both_fees_by_a_tenth_rounded_up() {
    let mut bench = Bench::new();
    let replaced = bench.enter(&draft(0).fees(101, 11).by(0));
    let refusal = |fee, got, expected| {
        Err(Refusal::ReplacementUnderpriced {
            fee,
            got,
            expected: U256::from(expected),
            replaced,
        })
    };
    assert_eq!(
        bench.admit(&draft(0).fees(111, 13).by(0)),
        refusal(Fee::Max, 111, 112)
    );
    assert_eq!(
        bench.admit(&draft(0).fees(112, 12).by(0)),
        refusal(Fee::MaxPriority, 12, 13)
    );
    let better = draft(0).fees(112, 13).by(0);
    let admitted = Admitted {
        replaced: Some(replaced),
        evicted: vec![],
    };
    assert_eq!(bench.admit(&better), Ok(admitted));
    assert_eq!(bench.best(), [better.hash()]);
}

#[test]
fn a_replacement_is_not_free_where_fees_are_zero() {
    let mut bench = Bench::new();
    bench.set_base_fee(0);
    let replaced = bench.enter(&draft(0).fees(0, 0).by(0));
    let refused = bench.admit(&draft(0).fees(0, 0).value(1).by(0));
    let expected = U256::ONE;
    assert_eq!(
        refused,
        Err(Refusal::ReplacementUnderpriced {
            fee: Fee::Max,
            got: 0,
            expected,
            replaced
        })
    );
    assert_eq!(
        bench.admit(&draft(0).fees(1, 1).by(0)).unwrap().replaced,
        Some(replaced)
    );
}

#[test]
fn the_highest_fee_cannot_be_replaced() {
    let mut bench = bench_with(|limits| limits.replacement_percent = 10);
    let most = u128::MAX;
    bench.ledger.at(native(0)).balance = U256::MAX;
    let replaced = bench.enter(&draft(0).fees(most, most).by(0));
    let refused = bench.admit(&draft(0).fees(most, most).value(1).by(0));
    let expected = (U256::from(most) * U256::from(11)).div_ceil(U256::from(10));
    assert_eq!(
        refused,
        Err(Refusal::ReplacementUnderpriced {
            fee: Fee::Max,
            got: most,
            expected,
            replaced
        })
    );
}

#[test]
fn one_sender_has_a_bound() {
    let mut bench = bench_with(|limits| limits.per_sender = 2);
    let sender = native(0);
    bench.enter(&draft(0).by(0));
    bench.enter(&draft(1).by(0));
    let refused = bench.admit(&draft(2).by(0));
    assert_eq!(
        refused,
        Err(Refusal::AccountLimit {
            sender,
            got: 2,
            expected: 2
        })
    );
    bench.enter(&draft(0).by(1));
    assert!(
        bench
            .admit(&draft(1).fees(22, 6).by(0))
            .unwrap()
            .replaced
            .is_some()
    );
}

#[test]
fn a_full_queue_gives_up_its_last_nonce_for_a_lower_one() {
    let mut bench = bench_with(|limits| limits.per_sender = 2);
    let second = bench.enter(&draft(1).by(0));
    let last = bench.enter(&draft(2).by(0));
    let first = draft(0).by(0);
    assert_eq!(
        bench.admit(&first),
        Ok(Admitted {
            replaced: None,
            evicted: vec![last]
        })
    );
    assert_eq!(bench.best(), [first.hash(), second]);
}

#[test]
fn everything_before_must_be_paid_for_too() {
    let mut bench = Bench::new();
    let sender = native(0);
    bench.ledger.at(sender).balance = U256::from(2 * DRAFT_COST);
    bench.enter(&draft(0).by(0));
    let refused = bench.admit(&draft(1).value(1).by(0));
    let got = U256::from(2 * DRAFT_COST);
    let expected = got + U256::ONE;
    assert_eq!(
        refused,
        Err(Refusal::InsufficientFunds {
            sender,
            got,
            expected,
            earlier: 1
        })
    );
    bench.enter(&draft(1).by(0));
}

#[test]
fn a_replacement_pays_instead_of_what_it_replaces() {
    let mut bench = Bench::new();
    let sender = native(0);
    let balance = U256::from(21_000 * 22);
    bench.ledger.at(sender).balance = balance;
    bench.enter(&draft(0).by(0));
    let refused = bench.admit(&draft(0).fees(23, 6).by(0)).unwrap_err();
    assert_eq!(refused.kind(), "insufficient_funds");
    assert!(bench.admit(&draft(0).fees(22, 6).by(0)).is_ok());
}

#[test]
fn a_value_of_all_wei_does_not_overflow() {
    let mut bench = Bench::new();
    let mut all = draft(0);
    all.value = U256::MAX;
    let refused = bench.admit(&all.by(0)).unwrap_err();
    assert!(matches!(
        refused,
        Refusal::InsufficientFunds {
            expected: U256::MAX,
            ..
        }
    ));
}

#[test]
fn a_delegated_sender_has_one_at_a_time() {
    let mut bench = Bench::new();
    let sender = ethereum(0);
    bench.ledger.at(sender).code = AccountCode::Delegation;
    let first = bench.enter(&draft(0).by_ethereum(0));
    let refused = bench.admit(&draft(1).by_ethereum(0));
    assert_eq!(
        refused,
        Err(Refusal::Delegated {
            sender,
            got: 1,
            expected: 0
        })
    );
    let replaced = bench
        .admit(&draft(0).fees(30, 10).by_ethereum(0))
        .unwrap()
        .replaced;
    assert_eq!(replaced, Some(first));
    bench.set(sender, |account| account.nonce = 1);
    bench.enter(&draft(1).by_ethereum(0));
}

#[test]
fn who_is_about_to_be_delegated_has_one_at_a_time() {
    let mut bench = Bench::new();
    let sender = ethereum(1);
    let promise = bench.enter(&draft(0).delegating(0, vec![authorization(1, 0)]));
    bench.enter(&draft(0).by_ethereum(1));
    let refused = bench.admit(&draft(1).by_ethereum(1));
    assert_eq!(
        refused,
        Err(Refusal::Delegated {
            sender,
            got: 1,
            expected: 0
        })
    );
    assert!(bench.pool.remove(0, promise).is_some());
    bench.enter(&draft(1).by_ethereum(1));
}

#[test]
fn an_authorization_that_is_spent_binds_nobody() {
    let mut bench = Bench::new();
    bench.ledger.at(ethereum(1)).nonce = 1;
    bench.enter(&draft(0).delegating(0, vec![authorization(1, 0)]));
    bench.enter(&draft(1).by_ethereum(1));
    bench.enter(&draft(2).by_ethereum(1));
    bench.enter(&draft(0).delegating(2, vec![authorization(1, 0)]));
}

#[test]
fn who_has_several_pending_cannot_be_delegated() {
    let mut bench = Bench::new();
    let authority = ethereum(1);
    let delegation = draft(0).delegating(0, vec![authorization(1, 0)]);
    bench.enter(&draft(0).by_ethereum(1));
    let second = bench.enter(&draft(1).by_ethereum(1));
    let refused = bench.admit(&delegation);
    assert_eq!(
        refused,
        Err(Refusal::AuthorityReserved {
            authority,
            got: 2,
            expected: 1
        })
    );
    assert!(bench.pool.remove(0, second).is_some());
    bench.enter(&delegation);
}

#[test]
fn an_account_that_cannot_be_read_is_nobodys_fault() {
    let mut bench = Bench::new();
    bench.ledger.broken = true;
    let result = bench.pool.admit(0, draft(0).by(0), &bench.ledger);
    assert_eq!(result, Err(AdmitError::Accounts(Broken)));
    assert!(bench.pool.is_empty());
}

#[test]
fn every_signature_scheme_is_taken() {
    let mut bench = Bench::new();
    bench.enter(&draft(0).by(0));
    bench.enter(&draft(0).by_ethereum(0));
    assert_eq!(
        bench.pool.by_sender(native(0)).unwrap().state(),
        bench.ledger.sender_state(native(0)).unwrap()
    );
    assert!(
        bench
            .pool
            .iter()
            .all(|transaction| transaction.chain_id() == CHAIN_ID)
    );
    assert_eq!(bench.pool.senders().count(), 2);
    let fresh = SenderState::default();
    assert_eq!(
        (fresh.nonce, fresh.balance, fresh.code),
        (0, U256::ZERO, AccountCode::None)
    );
}
