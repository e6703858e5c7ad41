//! What the execution of a block must come to: R-EXE.

use std::slice::from_ref;

use alloy_primitives::{B256, Bytes, TxKind, U256, address, keccak256};
use cairn_genesis::{HISTORY_STORAGE_ADDRESS, Header, InvalidBlock, VerifiedTransaction};
use cairn_vm::{InvalidTransaction, Machine, State};

use super::follower::Follower;
use super::forge::Forge;
use super::people::{self, MINER, NOBODY, authorization, delegating, pay, payment, person, sign};
use super::twist::{Twist, balance};
use crate::chain::Accepted::Best;
use crate::chain::execute::{BlockExecution, block_env};
use crate::chain::{BlockError, ChainView, ExecutionFault};
use crate::state::{Changes, Pending, account_key, slot_key};
use crate::store::{Column, Reader, keys};

/// Why a block on genesis with these transactions, and none other wrong, is refused.
fn fault(forge: &mut Forge, transactions: Vec<VerifiedTransaction>) -> ExecutionFault {
    let request = forge.request(forge.genesis);
    let header = forge.template(forge.genesis, &[], request).header;
    let bad = forge.seal(header, transactions);
    let mut follower = Follower::new(&forge.spec);
    let error = follower.give(&bad).unwrap_err();
    assert_eq!(follower.marked(), [bad.hash()]);
    match error {
        BlockError::Execution(fault) => fault,
        other => panic!("refused otherwise: {other}"),
    }
}

/// Asserts that a block on genesis with these transactions is taken.
fn is_taken(forge: &mut Forge, transactions: Vec<VerifiedTransaction>) {
    let request = forge.request(forge.genesis);
    let block = forge.block_for(forge.genesis, &transactions, request);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(&[block], Best);
    follower.check(forge);
}

#[test]
fn r_exe_1_the_parents_hash_is_written() {
    let mut forge = Forge::new();
    let parent_hash = Some(keccak256("another"));
    let twist = Twist {
        parent_hash,
        ..Twist::default()
    };
    twist.is_refused(&mut forge, &[]);
    // No write at all: zero is what stands there.
    let twist = Twist {
        parent_hash: Some(B256::ZERO),
        ..Twist::default()
    };
    twist.is_refused(&mut forge, &[]);
    let block = forge.block(forge.genesis, &[]);
    assert_eq!(block.header().gas_used, 0);
}

/// The ring of slots begins anew after 8191 blocks.
#[test]
fn r_exe_1_the_hash_goes_to_slot_number_less_1_mod_8191() {
    let forge = Forge::new();
    let store = forge.store(forge.genesis);
    let header = forge.record(forge.genesis).header;
    for (number, slot) in [(1, 0), (2, 1), (8191, 8190), (8192, 0), (16_384, 1)] {
        let mut pending = Pending::default();
        let mut machine = Machine::default();
        let mut env = block_env(&forge.spec, &header);
        env.number = number;
        let hash = keccak256("parent");
        BlockExecution::begin(store, &mut pending, &mut machine, env, hash).unwrap();
        let read = pending
            .over(store)
            .storage(HISTORY_STORAGE_ADDRESS, U256::from(slot));
        assert_eq!(read, Ok(U256::from_be_bytes(hash.0)), "block {number}");
    }
}

#[test]
fn r_exe_2_nonces_follow_each_other() {
    let mut forge = Forge::new();
    let pay = |nonce| pay(0, nonce, NOBODY, 1);
    is_taken(&mut forge, vec![pay(0), pay(1), pay(2)]);
    let too_high = ExecutionFault::Transaction {
        index: 0,
        reason: InvalidTransaction::NonceTooHigh {
            expected: 0,
            got: 1,
        },
    };
    assert_eq!(fault(&mut forge, vec![pay(1), pay(0)]), too_high);
    let too_low = ExecutionFault::Transaction {
        index: 1,
        reason: InvalidTransaction::NonceTooLow {
            expected: 1,
            got: 0,
        },
    };
    assert_eq!(fault(&mut forge, vec![pay(0), pay(0)]), too_low);
}

#[test]
fn r_exe_3_4_the_sender_can_pay_and_pays_enough() {
    let mut forge = Forge::new();
    let genesis = forge.spec.genesis_block();
    let base_fee = forge.spec.next_base_fee(&genesis.header);
    let at = |max_fee: u64| {
        let mut body = payment(0, 0, NOBODY, 1);
        (body.max_fee, body.max_priority_fee) = (u128::from(max_fee), 0);
        sign(0, body)
    };
    is_taken(&mut forge, vec![at(base_fee)]);
    let reason = InvalidTransaction::MaxFeeBelowBaseFee {
        max_fee: u128::from(base_fee - 1),
        base_fee,
    };
    let expected = ExecutionFault::Transaction { index: 0, reason };
    assert_eq!(fault(&mut forge, vec![at(base_fee - 1)]), expected);
    let body = payment(0, 0, NOBODY, 0);
    let gas = U256::from(body.max_fee) * U256::from(21_000);
    let funds = balance(forge.store(forge.genesis), person(0));
    let worth = |value| {
        let mut body = body.clone();
        body.value = value;
        sign(0, body)
    };
    is_taken(&mut forge, vec![worth(funds - gas)]);
    let (available, required) = (funds, funds + U256::ONE);
    let reason = InvalidTransaction::InsufficientFunds {
        available,
        required,
    };
    let expected = ExecutionFault::Transaction { index: 0, reason };
    assert_eq!(
        fault(&mut forge, vec![worth(funds - gas + U256::ONE)]),
        expected
    );
}

/// 63,000 gas: what was used counts, not what was asked for.
#[test]
fn r_exe_6_a_transaction_fits_into_what_is_left() {
    let mut spec = people::spec();
    spec.gas_limit = 63_000;
    let mut forge = Forge::on(spec);
    let asks = |nonce, gas_limit| {
        let mut body = payment(0, nonce, NOBODY, 1);
        body.gas_limit = gas_limit;
        sign(0, body)
    };
    is_taken(
        &mut forge,
        vec![asks(0, 63_000), asks(1, 42_000), asks(2, 21_000)],
    );
    let refused = |index, got, left| ExecutionFault::BlockGas { index, got, left };
    let third = vec![asks(0, 21_000), asks(1, 21_000), asks(2, 21_001)];
    assert_eq!(fault(&mut forge, third), refused(2, 21_001, 21_000));
    let second = vec![asks(0, 63_000), asks(1, 42_001)];
    assert_eq!(fault(&mut forge, second), refused(1, 42_001, 42_000));
}

#[test]
fn r_exe_7_8_9_what_a_header_claims_is_what_comes_out() {
    let mut forge = Forge::new();
    let payments = [pay(0, 0, NOBODY, 1)];
    let lies: [(fn(&mut Header), _); 3] = [
        (|header| header.gas_used += 1, "gas"),
        (|header| header.receipts_root = B256::ZERO, "receipts"),
        (|header| header.state_root = B256::ZERO, "state"),
    ];
    for (lie, what) in lies {
        let bad = forge.liar(forge.genesis, &payments, lie);
        let mut follower = Follower::new(&forge.spec);
        let error = follower.give(&bad).unwrap_err();
        let BlockError::Execution(ExecutionFault::Result(fault)) = &error else {
            panic!("{error}");
        };
        let found = match fault {
            InvalidBlock::GasUsed { .. } => "gas",
            InvalidBlock::ReceiptsRoot { .. } => "receipts",
            InvalidBlock::StateRoot { .. } => "state",
            other => panic!("{other}"),
        };
        assert_eq!(found, what);
        let good = forge.block(forge.genesis, &payments);
        follower.give_all(&[good], Best);
        follower.check(&forge);
    }
}

#[test]
fn r_exe_10_the_environment_is_the_headers() {
    let mut forge = Forge::new();
    let blocks = forge.branch(forge.genesis, 3);
    let header = blocks[2].header();
    let env = block_env(&forge.spec, header);
    assert_eq!((env.number, env.timestamp), (3, header.timestamp));
    assert_eq!((env.gas_limit, env.base_fee), (30_000_000, header.base_fee));
    assert_eq!((env.beneficiary, env.chain_id), (MINER, 31_337));
    assert_eq!(env.prevrandao, keccak256(blocks[1].hash()));
    assert_eq!(env.blob_base_fee, 1);
    // The seal's time may be later, and means nothing to execution.
    let mut later = blocks[2].to_block();
    later.seal.time += 600;
    assert_eq!(block_env(&forge.spec, &later.header), env);
    // BLOCKHASH: in display order, of blocks that are not committed yet as well.
    let store = forge.store(blocks[0].hash());
    let mut pending = Pending::default();
    pending.set_canonical(2, blocks[1].hash());
    let hash = |number| pending.over(store).block_hash(number).unwrap();
    let expected = [forge.genesis, blocks[0].hash(), blocks[1].hash()];
    assert_eq!([0, 1, 2].map(hash), expected);
    // What is below a block and not there is a damaged store, never a zero.
    assert!(pending.over(store).block_hash(3).is_err());
}

/// A delegation of an account that exists earns a refund: a fifth of the gas at most.
#[test]
fn r_exe_11_12_a_refund_is_part_of_the_gas_used() {
    let mut forge = Forge::new();
    let delegates = || vec![delegating(0, 0, vec![authorization(1, 0)])];
    is_taken(&mut forge, delegates());
    // One of nonce 5 is skipped and earns nothing.
    is_taken(
        &mut forge,
        vec![delegating(0, 0, vec![authorization(1, 5)])],
    );
    let request = forge.request(forge.genesis);
    let template = forge.template(forge.genesis, &delegates(), request);
    assert_eq!(template.header.gas_used, 46_000 - 9_200);
    for claimed in [46_000, 46_000 - 12_500] {
        let bad = forge.liar(forge.genesis, &delegates(), |header| {
            header.gas_used = claimed
        });
        let (expected, got) = (claimed, 46_000 - 9_200);
        let fault = BlockError::Execution(InvalidBlock::GasUsed { expected, got }.into());
        assert_eq!(Follower::new(&forge.spec).give(&bad), Err(fault));
    }
}

/// Of an empty block only the history contract and the subsidy are seen.
#[test]
fn r_exe_14_no_other_system_operation_exists() {
    let mut forge = Forge::new();
    let block = forge.block(forge.genesis, &[]);
    let store = forge.store(block.hash());
    let changes = store
        .get(Column::Changes, &keys::block(1, block.hash()))
        .unwrap();
    let changes = Changes::decode(&changes.unwrap()).unwrap();
    let mut expected = [MINER, HISTORY_STORAGE_ADDRESS].map(account_key);
    expected.sort_unstable();
    let changed: Vec<_> = changes.accounts.iter().map(|(key, _)| *key).collect();
    assert_eq!(changed, expected);
    let slot = (account_key(HISTORY_STORAGE_ADDRESS), slot_key(U256::ZERO));
    assert_eq!(changes.storage, [(slot, U256::ZERO)]);
    // A withdrawal (EIP-4895), and a coin for EIP-4788's contract.
    for who in [NOBODY, address!("000F3df6D732807Ef1319fB7B8bB8522d0Beac02")] {
        let credit = Some((who, U256::ONE));
        let twist = Twist {
            credit,
            ..Twist::default()
        };
        twist.is_refused(&mut forge, &[]);
    }
}

/// The init code is an invalid instruction: it fails and takes all its gas.
#[test]
fn a_transaction_that_fails_stays_in_the_block_and_pays() {
    let mut forge = Forge::new();
    let mut body = payment(0, 0, NOBODY, 0);
    (body.to, body.gas_limit) = (TxKind::Create, 100_000);
    body.input = Bytes::from_static(&[0xfe]);
    let creation = sign(0, body);
    let block = forge.block(forge.genesis, &[creation]);
    assert_eq!(block.header().gas_used, 100_000);
    let mut follower = Follower::new(&forge.spec);
    follower.give_all(from_ref(&block), Best);
    let view = ChainView::open(&*follower.store).unwrap();
    let receipts = view.receipts(block.hash()).unwrap().unwrap();
    assert!(!receipts[0].receipt.success);
    assert_eq!(receipts[0].sender, person(0));
    assert!(receipts[0].created.is_some());
    follower.check(&forge);
}
