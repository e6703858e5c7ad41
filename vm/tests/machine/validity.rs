//! Each rule of validity: what just passes, and what just does not.

use crate::world::{ALICE, Broken, Entry, FUNDS, World, block, creation, transfer};
use alloy_primitives::{Bytes, U256};
use cairn_vm::{
    Authorization, BlockEnv, InvalidTransaction, TransactError, TxEnv, delegation, gas,
};

/// Why the transaction is invalid; `None` if it is valid.
fn refusal(world: &World, block: &BlockEnv, tx: &TxEnv) -> Option<InvalidTransaction> {
    match world.transact(block, tx) {
        Ok(_) => None,
        Err(TransactError::Invalid(reason)) => Some(reason),
        Err(TransactError::State(broken)) => panic!("{broken}"),
    }
}

/// Asserts that the first transaction is valid and the second is refused for `reason`.
fn border(world: &World, accepted: &TxEnv, refused: &TxEnv, reason: InvalidTransaction) {
    assert_eq!(refusal(world, &block(), accepted), None);
    assert_eq!(refusal(world, &block(), refused), Some(reason));
}

#[test]
fn the_nonce_equals_the_senders() {
    let alice = Entry {
        nonce: 5,
        balance: U256::from(FUNDS),
        ..Entry::default()
    };
    let world = World::default().with(ALICE, alice);
    let at = |nonce| TxEnv {
        nonce,
        ..transfer()
    };
    let too_low = InvalidTransaction::NonceTooLow {
        expected: 5,
        got: 4,
    };
    border(&world, &at(5), &at(4), too_low);
    let too_high = InvalidTransaction::NonceTooHigh {
        expected: 5,
        got: 6,
    };
    border(&world, &at(5), &at(6), too_high);
}

#[test]
fn eip_2681_the_highest_nonce_cannot_be_used() {
    let rich = |nonce| {
        World::new().with(
            ALICE,
            Entry {
                nonce,
                balance: U256::from(FUNDS),
                ..Entry::default()
            },
        )
    };
    let last = TxEnv {
        nonce: u64::MAX - 1,
        ..transfer()
    };
    assert_eq!(refusal(&rich(u64::MAX - 1), &block(), &last), None);
    let beyond = TxEnv {
        nonce: u64::MAX,
        ..transfer()
    };
    let reason = Some(InvalidTransaction::NonceMax);
    assert_eq!(refusal(&rich(u64::MAX), &block(), &beyond), reason);
    assert_eq!(refusal(&rich(0), &block(), &beyond), reason);
}

#[test]
fn eip_3607_a_contract_cannot_send() {
    let with_code = |code: &[u8]| {
        let balance = U256::from(FUNDS);
        let code = Bytes::copy_from_slice(code);
        World::new().with(
            ALICE,
            Entry {
                balance,
                code,
                ..Entry::default()
            },
        )
    };
    let delegated = with_code(&delegation::indicator(ALICE));
    assert_eq!(refusal(&delegated, &block(), &transfer()), None);
    let reason = Some(InvalidTransaction::SenderHasCode { sender: ALICE });
    assert_eq!(refusal(&with_code(&[0]), &block(), &transfer()), reason);
}

#[test]
fn the_balance_covers_gas_at_the_max_fee_and_the_value() {
    let price = 21_000 * 10 + 1_000;
    let exact = World::new().with_balance(ALICE, price);
    assert_eq!(refusal(&exact, &block(), &transfer()), None);
    let one_less = World::new().with_balance(ALICE, price - 1);
    let (available, required) = (U256::from(price - 1), U256::from(price));
    let reason = InvalidTransaction::InsufficientFunds {
        available,
        required,
    };
    assert_eq!(refusal(&one_less, &block(), &transfer()), Some(reason));
}

#[test]
fn a_price_beyond_256_bits_is_not_covered_by_any_balance() {
    let max = Entry {
        balance: U256::MAX,
        ..Entry::default()
    };
    let world = World::default().with(ALICE, max);
    let gas = U256::from(21_000 * 10);
    let with_value = |value| TxEnv {
        value,
        ..transfer()
    };
    let reason = InvalidTransaction::InsufficientFunds {
        available: U256::MAX,
        required: U256::MAX,
    };
    border(
        &world,
        &with_value(U256::MAX - gas),
        &with_value(U256::MAX),
        reason,
    );
}

#[test]
fn a_sender_without_an_account_has_no_funds() {
    let required = U256::from(21_000 * 10 + 1_000);
    let reason = InvalidTransaction::InsufficientFunds {
        available: U256::ZERO,
        required,
    };
    assert_eq!(
        refusal(&World::default(), &block(), &transfer()),
        Some(reason)
    );
    // Without fees and value there is nothing to cover.
    let free = BlockEnv {
        base_fee: 0,
        ..block()
    };
    let nothing = TxEnv {
        max_fee: 0,
        max_priority_fee: 0,
        value: U256::ZERO,
        ..transfer()
    };
    assert_eq!(refusal(&World::default(), &free, &nothing), None);
}

#[test]
fn eip_1559_the_max_fee_covers_the_base_fee() {
    let with_fee = |max_fee| TxEnv {
        max_fee,
        max_priority_fee: 0,
        ..transfer()
    };
    let reason = InvalidTransaction::MaxFeeBelowBaseFee {
        max_fee: 6,
        base_fee: 7,
    };
    border(&World::new(), &with_fee(7), &with_fee(6), reason);
}

#[test]
fn eip_1559_the_max_fee_covers_the_priority_fee() {
    let with_tip = |max_priority_fee| TxEnv {
        max_priority_fee,
        ..transfer()
    };
    let reason = InvalidTransaction::PriorityFeeAboveMaxFee {
        max_priority_fee: 11,
        max_fee: 10,
    };
    border(&World::new(), &with_tip(10), &with_tip(11), reason);
}

#[test]
fn eip_7825_the_gas_limit_has_a_cap() {
    let with_gas = |gas_limit| TxEnv {
        gas_limit,
        ..transfer()
    };
    let cap = 16_777_216;
    let reason = InvalidTransaction::GasLimitAboveCap { got: cap + 1, cap };
    border(&World::new(), &with_gas(cap), &with_gas(cap + 1), reason);
}

#[test]
fn the_gas_limit_fits_in_the_block() {
    let small = BlockEnv {
        gas_limit: 50_000,
        ..block()
    };
    let with_gas = |gas_limit| TxEnv {
        gas_limit,
        ..transfer()
    };
    assert_eq!(refusal(&World::new(), &small, &with_gas(50_000)), None);
    let reason = InvalidTransaction::GasLimitAboveBlock {
        got: 50_001,
        limit: 50_000,
    };
    assert_eq!(
        refusal(&World::new(), &small, &with_gas(50_001)),
        Some(reason)
    );
}

#[test]
fn the_gas_limit_covers_the_intrinsic_gas() {
    let with_gas = |gas_limit| TxEnv {
        gas_limit,
        ..transfer()
    };
    let reason = InvalidTransaction::IntrinsicGas {
        got: 20_999,
        required: 21_000,
    };
    border(&World::new(), &with_gas(21_000), &with_gas(20_999), reason);

    let list = vec![(ALICE, vec![Default::default(); 2])];
    let with_list = |gas_limit| TxEnv {
        gas_limit,
        access_list: list.clone(),
        ..transfer()
    };
    let required = 21_000 + 2_400 + 2 * 1_900;
    let reason = InvalidTransaction::IntrinsicGas {
        got: required - 1,
        required,
    };
    border(
        &World::new(),
        &with_list(required),
        &with_list(required - 1),
        reason,
    );

    let create = |gas_limit| TxEnv {
        gas_limit,
        ..creation(&[])
    };
    let reason = InvalidTransaction::IntrinsicGas {
        got: 52_999,
        required: 53_000,
    };
    border(&World::new(), &create(53_000), &create(52_999), reason);
}

#[test]
fn eip_7623_the_gas_limit_covers_the_calldata_floor() {
    let input = Bytes::from(vec![1; 100]);
    let with_gas = |gas_limit| TxEnv {
        gas_limit,
        input: input.clone(),
        ..transfer()
    };
    let required = 21_000 + 100 * 40;
    let reason = InvalidTransaction::FloorGas {
        got: required - 1,
        required,
    };
    border(
        &World::new(),
        &with_gas(required),
        &with_gas(required - 1),
        reason,
    );
}

#[test]
fn eip_3860_init_code_has_a_limit() {
    let of_len = |len| TxEnv {
        gas_limit: 3_000_000,
        ..creation(&vec![0; len])
    };
    let world = World::new();
    let limit = gas::MAX_INIT_CODE_LEN;
    let reason = InvalidTransaction::InitCodeTooLarge {
        got: limit + 1,
        limit,
    };
    border(&world, &of_len(limit), &of_len(limit + 1), reason);
    // Calldata of a call has no such limit.
    let call = TxEnv {
        to: transfer().to,
        ..of_len(limit + 1)
    };
    assert_eq!(refusal(&world, &block(), &call), None);
}

#[test]
fn eip_7702_authorizations_need_a_destination() {
    let authorization = Authorization {
        chain_id: U256::ZERO,
        address: ALICE,
        nonce: 0,
        authority: None,
    };
    let with_list = |tx| TxEnv {
        gas_limit: 200_000,
        authorizations: vec![authorization.clone()],
        ..tx
    };
    let reason = InvalidTransaction::AuthorizationsOnCreation;
    border(
        &World::new(),
        &with_list(transfer()),
        &with_list(creation(&[])),
        reason,
    );
}

#[test]
fn a_broken_state_says_nothing_about_the_transaction() {
    let mut world = World::new();
    world.broken = true;
    assert_eq!(
        world.transact(&block(), &transfer()),
        Err(TransactError::State(Broken))
    );
}
