//! Who gets the coins, and when: R-FEE-4, R-REW, R-STA-2.

use alloy_primitives::U256;
use cairn_vm::InvalidTransaction;

use super::follower::Follower;
use super::forge::Forge;
use super::people::{self, MINER, NOBODY, PEOPLE, pay, person};
use super::twist::{Twist, balance};
use crate::chain::Accepted::Best;
use crate::chain::{BlockError, ExecutionFault, TemplateRequest};
use crate::state::account_key;
use crate::store::{Column, Reader};

#[test]
fn r_fee_4_the_base_fee_is_burned_and_the_rest_credited() {
    let mut forge = Forge::new();
    let payments = [pay(0, 0, NOBODY, 1_000)];
    let block = forge.block(forge.genesis, &payments);
    let (before, after) = (forge.store(forge.genesis), forge.store(block.hash()));
    let base_fee = U256::from(block.header().base_fee);
    let (gas, tip) = (U256::from(21_000), U256::from(1_000_000_000));
    let paid = balance(before, person(0)) - balance(after, person(0));
    assert_eq!(paid, gas * (base_fee + tip) + U256::from(1_000));
    assert_eq!(balance(after, MINER), gas * tip + forge.spec.subsidy);
    let record = forge.record(block.hash());
    assert_eq!(record.burned, gas * base_fee);
    let twist = Twist {
        credit: Some((MINER, gas * base_fee)),
        ..Twist::default()
    };
    twist.is_refused(&mut forge, &payments);
}

#[test]
fn r_rew_1_the_subsidy_is_that_of_the_height() {
    let mut spec = people::spec();
    spec.halving_interval = 2;
    let mut forge = Forge::on(spec);
    let full = forge.spec.subsidy;
    let half = full >> 1;
    let claims = |subsidy| Twist {
        subsidy: Some(subsidy),
        ..Twist::default()
    };
    for wrong in [half, full + U256::ONE, U256::ZERO] {
        claims(wrong).is_refused(&mut forge, &[]);
    }
    let first = forge.block(forge.genesis, &[]).hash();
    for wrong in [full, half - U256::ONE] {
        claims(wrong).is_refused_on(&mut forge, first, &[]);
    }
    let second = forge.block(first, &[]).hash();
    assert_eq!(balance(forge.store(second), MINER), full + half);
    let issued = forge.spec.issued(2);
    assert_eq!(forge.record(second).issued, issued, "R-REW-3");
}

/// Who has nothing cannot spend the subsidy in the block that creates it.
#[test]
fn r_rew_2_the_subsidy_comes_after_the_last_transaction() {
    let mut forge = Forge::new();
    let poor = PEOPLE;
    let request = TemplateRequest {
        beneficiary: person(poor),
        ..forge.request(forge.genesis)
    };
    let header = forge.template(forge.genesis, &[], request.clone()).header;
    let bad = forge.seal(header, vec![pay(poor, 0, NOBODY, 1)]);
    let mut follower = Follower::new(&forge.spec);
    let error = follower.give(&bad).unwrap_err();
    let BlockError::Execution(ExecutionFault::Transaction { index: 0, reason }) = error else {
        panic!("{error}");
    };
    assert!(
        matches!(reason, InvalidTransaction::InsufficientFunds { .. }),
        "{reason}"
    );
    let first = forge.block_for(forge.genesis, &[], request);
    let second = forge.block(first.hash(), &[pay(poor, 0, NOBODY, 1)]);
    follower.give_all(&[first, second], Best);
    follower.check(&forge);
}

#[test]
fn r_rew_2_r_sta_2_a_subsidy_of_zero_touches_nothing() {
    let mut spec = people::spec();
    spec.subsidy = U256::ZERO;
    let mut forge = Forge::on(spec);
    let block = forge.block(forge.genesis, &[]);
    let key = account_key(MINER);
    let account = forge
        .store(block.hash())
        .get(Column::Accounts, key.as_slice());
    assert_eq!(account, Ok(None));
    let twist = Twist {
        empty: Some(MINER),
        ..Twist::default()
    };
    twist.is_refused(&mut forge, &[]);
}
