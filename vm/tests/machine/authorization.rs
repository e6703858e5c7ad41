//! EIP-7702: each step of the list, and what it leaves behind.

use crate::world::{ALICE, BOB, Entry, FUNDS, World, block, change, transfer};
use alloy_primitives::{Address, Bytes, U256, keccak256};
use cairn_vm::{Authorization, Halt, Outcome, Status, TxEnv, delegation};

const CAROL: Address = Address::repeat_byte(0xca);
const DELEGATE: Address = Address::repeat_byte(0xde);

/// Carol's authorization at nonce 0.
fn authorization() -> Authorization {
    let (chain_id, authority) = (U256::from(31_337), Some(CAROL));
    Authorization {
        chain_id,
        address: DELEGATE,
        nonce: 0,
        authority,
    }
}

fn carol(nonce: u64, code: Bytes) -> Entry {
    Entry {
        nonce,
        code,
        balance: U256::from(1),
        ..Entry::default()
    }
}

fn with_list(authorizations: Vec<Authorization>) -> TxEnv {
    TxEnv {
        authorizations,
        gas_limit: 200_000,
        ..transfer()
    }
}

fn run(world: &World, list: Vec<Authorization>) -> Outcome {
    world.transact(&block(), &with_list(list)).unwrap()
}

/// Asserts that the list leaves Carol as she was, and that it earns no refund.
fn is_skipped(world: &World, authorization: Authorization) {
    let outcome = run(world, vec![authorization]);
    assert_eq!(outcome.status, Status::Success);
    assert_eq!((outcome.gas_used, outcome.gas_refunded), (46_000, 0));
    assert!(
        outcome
            .diff
            .accounts
            .iter()
            .all(|change| change.address != CAROL)
    );
}

#[test]
fn a_delegation_is_written_and_the_nonce_incremented() {
    let outcome = run(&World::new(), vec![authorization()]);
    let carol = change(&outcome, CAROL);
    let code = delegation::indicator(DELEGATE);
    let after = carol.after.unwrap();
    assert_eq!(carol.before, None);
    assert_eq!((after.nonce, after.code_hash), (1, keccak256(&code)));
    assert_eq!(carol.code, Some(code));
    assert_eq!((outcome.gas_used, outcome.gas_refunded), (46_000, 0));
}

#[test]
fn an_existing_authority_earns_a_refund_capped_to_a_fifth() {
    let world = World::new().with(CAROL, carol(0, Bytes::new()));
    let outcome = run(&world, vec![authorization()]);
    // 12,500 are earned, a fifth of 46,000 is 9,200.
    assert_eq!(
        (outcome.gas_used, outcome.gas_refunded),
        (46_000 - 9_200, 9_200)
    );
    assert_eq!(change(&outcome, CAROL).after.unwrap().nonce, 1);
}

#[test]
fn the_chain_is_any_or_ours() {
    let world = World::new();
    for chain_id in [U256::ZERO, U256::from(31_337)] {
        let outcome = run(
            &world,
            vec![Authorization {
                chain_id,
                ..authorization()
            }],
        );
        assert!(change(&outcome, CAROL).code.is_some());
    }
    let wider = (U256::from(1) << 64) + U256::from(31_337);
    for chain_id in [U256::from(1), wider] {
        is_skipped(
            &world,
            Authorization {
                chain_id,
                ..authorization()
            },
        );
    }
}

#[test]
fn the_nonce_equals_the_authoritys_and_is_not_the_highest() {
    let world = World::new().with(CAROL, carol(5, Bytes::new()));
    let at = |nonce| Authorization {
        nonce,
        ..authorization()
    };
    assert!(change(&run(&world, vec![at(5)]), CAROL).code.is_some());
    is_skipped(&world, at(4));
    is_skipped(&world, at(6));
    let last = World::new().with(CAROL, carol(u64::MAX, Bytes::new()));
    is_skipped(&last, at(u64::MAX));
}

#[test]
fn an_invalid_signature_is_skipped() {
    is_skipped(
        &World::new(),
        Authorization {
            authority: None,
            ..authorization()
        },
    );
}

#[test]
fn a_contract_is_no_authority_but_a_delegated_account_is() {
    is_skipped(
        &World::new().with(CAROL, carol(0, vec![0].into())),
        authorization(),
    );
    let delegated = World::new().with(CAROL, carol(0, delegation::indicator(BOB)));
    let outcome = run(&delegated, vec![authorization()]);
    assert_eq!(
        change(&outcome, CAROL).code,
        Some(delegation::indicator(DELEGATE))
    );
}

#[test]
fn the_zero_address_clears_the_delegation() {
    let world = World::new().with(CAROL, carol(3, delegation::indicator(BOB)));
    let clear = Authorization {
        address: Address::ZERO,
        nonce: 3,
        ..authorization()
    };
    let outcome = run(&world, vec![clear]);
    let carol = change(&outcome, CAROL);
    assert!(!carol.after.unwrap().has_code());
    assert_eq!(carol.code, None);
    assert!(world.after(&outcome.diff).entries[&CAROL].code.is_empty());
}

#[test]
fn of_several_the_last_valid_one_stands() {
    let at = |nonce, address| Authorization {
        nonce,
        address,
        ..authorization()
    };
    let list = vec![at(0, DELEGATE), at(0, ALICE), at(1, BOB), at(1, ALICE)];
    let outcome = run(&World::new(), list);
    let carol = change(&outcome, CAROL);
    assert_eq!(carol.code, Some(delegation::indicator(BOB)));
    assert_eq!(carol.after.unwrap().nonce, 2);
    // The second valid one found the account in existence.
    assert_eq!(outcome.gas_refunded, 12_500);
}

#[test]
fn a_sender_may_authorize_itself_at_its_next_nonce() {
    let own = |nonce| Authorization {
        nonce,
        authority: Some(ALICE),
        ..authorization()
    };
    let outcome = run(&World::new(), vec![own(0), own(1)]);
    let alice = change(&outcome, ALICE);
    assert_eq!(alice.after.unwrap().nonce, 2);
    assert_eq!(alice.code, Some(delegation::indicator(DELEGATE)));
}

#[test]
fn the_target_runs_by_its_new_delegation() {
    // The delegate's code is INVALID.
    let world = World::new().with_code(DELEGATE, &[0xfe]);
    let bob = Authorization {
        authority: Some(BOB),
        ..authorization()
    };
    let outcome = run(&world, vec![bob]);
    assert_eq!(outcome.status, Status::Halt(Halt::InvalidOpcode(0xfe)));
}

#[test]
fn delegations_outlast_a_failed_run() {
    let world = World::new()
        .with_code(BOB, &[0xfe])
        .with(CAROL, carol(0, Bytes::new()));
    let outcome = run(&world, vec![authorization()]);
    assert_eq!(outcome.status, Status::Halt(Halt::InvalidOpcode(0xfe)));
    assert!(change(&outcome, CAROL).code.is_some());
    // Its refund as well.
    assert_eq!((outcome.gas_used, outcome.gas_refunded), (187_500, 12_500));
    assert_eq!(
        world.after(&outcome.diff).balance(ALICE),
        U256::from(FUNDS - 187_500 * 9)
    );
}
