//! Programs that found a fault, and those that show what a fault was fixed with. They do not change with the
//! generator, as seeds would.

use std::sync::Arc;

use alloy_primitives::{Address, TxKind, U256};
use cairn_vm::{BlockEnv, Outcome, Status, TxEnv, opcode as op};

use crate::{
    case::Case,
    cast::{CONTRACTS, PLAIN, SENDER},
    machines::{Machines, Watch},
    world::{Account, World},
};

/// More often than code has to run to be translated thoroughly.
const RUNS: usize = 40;

/// Runs the code on both machines until it is warm.
fn agree(code: &[u8]) -> Outcome {
    let mut world = World::default();
    world.put(Account::new(CONTRACTS[0], 1, U256::from(5)).with_code(code.to_vec().into()));
    world.put(Account::new(SENDER, 0, U256::from(1_u64 << 50)));
    let block = BlockEnv {
        number: 1,
        gas_limit: 30_000_000,
        blob_base_fee: 1,
        chain_id: 31_337,
        ..BlockEnv::default()
    };
    let tx = TxEnv {
        sender: SENDER,
        gas_limit: 1_000_000,
        to: TxKind::Call(CONTRACTS[0]),
        ..TxEnv::default()
    };
    let case = Case {
        world: Arc::new(world),
        block,
        tx,
    };
    let mut machines = Machines::new();
    let mut run = |watch| match machines.compare(&case, watch) {
        Ok(outcome) => outcome.expect("the transaction is valid"),
        Err(difference) => panic!("{difference}"),
    };
    let first = run(Watch::Steps);
    for _ in 1..RUNS {
        assert_eq!(run(Watch::Result), first);
    }
    first
}

/// `CALL` of `to` without value and with gas that suffices.
fn call(to: Address) -> Vec<u8> {
    let mut code = vec![op::PUSH0; 5];
    code.push(op::PUSH20);
    code.extend(to);
    code.extend([op::PUSH2, 0xff, 0xff, op::CALL]);
    code
}

/// LOG0 in a block whose static gas has more than fifteen bits took them for the place of a topic.
#[test]
fn a_log_without_topics_behind_much_static_gas() {
    let log = |topics: u8| {
        let mut code = vec![op::PUSH0; usize::from(topics) + 2];
        code.push(op::LOG0 + topics);
        code
    };
    let code = [log(4).repeat(20), log(0)].concat();
    let outcome = agree(&code);
    assert_eq!((outcome.status, outcome.logs.len()), (Status::Success, 21));
}

/// What lies behind a jump that is always taken was translated all the same, which took seconds that no gas paid
/// for. Now a block is translated when it is reached: here first by a jump, later from the block before.
#[test]
fn a_block_that_is_jumped_to_before_it_is_fallen_into() {
    let code = [
        // First straight to 11, then to 5, from where it falls into 11.
        &[op::PUSH0, op::PUSH1, 11, op::JUMP, op::INVALID][..],
        &[op::JUMPDEST, op::PC, op::JUMPDEST, op::POP],
        &[op::JUMPDEST, op::CALLVALUE],
        // 11: once more unless the slot says that this is the second time.
        &[
            op::JUMPDEST,
            op::POP,
            op::PUSH1,
            1,
            op::PUSH0,
            op::SLOAD,
            op::DUP1,
            op::PUSH1,
            33,
            op::JUMPI,
        ],
        &[
            op::POP,
            op::PUSH0,
            op::SSTORE,
            op::PUSH0,
            op::PUSH1,
            5,
            op::JUMP,
        ],
        &[op::INVALID; 5],
        &[
            op::JUMPDEST,
            op::MSIZE,
            op::PUSH0,
            op::MSTORE,
            op::MSIZE,
            op::PUSH0,
            op::RETURN,
        ],
    ]
    .concat();
    assert_eq!(
        (code[5], code[11], code[33]),
        (op::JUMPDEST, op::JUMPDEST, op::JUMPDEST)
    );
    let outcome = agree(&code);
    assert_eq!(
        (outcome.status, outcome.output.len()),
        (Status::Success, 32)
    );
}

/// A frame waits for a call before a block that its callee, which runs the same code, reaches first.
#[test]
fn a_callee_translates_what_its_caller_will_run() {
    let code = [
        // Calls itself until the counter in transient storage passes 3.
        &[
            op::PUSH0,
            op::TLOAD,
            op::PUSH1,
            1,
            op::ADD,
            op::DUP1,
            op::PUSH0,
            op::TSTORE,
        ][..],
        &[op::PUSH1, 3, op::LT, op::PUSH1, 48, op::JUMPI],
        &call(CONTRACTS[0]),
        &[op::POP],
        &[op::JUMPDEST; 4],
        &[op::PUSH0, op::TLOAD, op::GAS, op::SSTORE],
        &[
            op::JUMPDEST,
            op::GAS,
            op::PUSH0,
            op::MSTORE,
            op::MSIZE,
            op::PUSH0,
            op::RETURN,
        ],
    ]
    .concat();
    assert_eq!(code[48], op::JUMPDEST);
    let outcome = agree(&code);
    assert_eq!(
        (outcome.status, outcome.output.len()),
        (Status::Success, 32)
    );
}

/// All that lies on the stack moves by one at the end of a block, in rings and chains, as the next block wants it.
#[test]
fn deep_rotations_at_the_border_of_a_block() {
    let mut code: Vec<u8> = (1..=40).flat_map(|number| [op::PUSH1, number]).collect();
    for round in 0..16 {
        code.push(op::JUMPDEST);
        code.extend(
            (0..=round)
                .flat_map(|depth| [op::SWAP1 + depth, op::SWAP16, op::SWAP1 + round - depth]),
        );
        code.extend([op::DUP1 + round, op::DUP16, op::SWAP3, op::POP]);
    }
    code.extend((0..40).flat_map(|index| [op::PUSH2, index / 8, (index % 8) * 32, op::MSTORE]));
    code.extend([op::MSIZE, op::PUSH0, op::RETURN]);
    let outcome = agree(&code);
    assert_eq!(
        (outcome.status, outcome.output.len()),
        (Status::Success, 40 * 32)
    );
}

/// EIP-6780 within one transaction: what a new contract leaves to itself is gone at once, and what it leaves to
/// others arrives.
#[test]
fn a_new_contract_that_destroys_itself_has_nothing_left() {
    for heir in [None, Some(PLAIN[0])] {
        let init = match heir {
            None => vec![op::ADDRESS, op::SELFDESTRUCT],
            Some(heir) => [&[op::PUSH20][..], heir.as_slice(), &[op::SELFDESTRUCT]].concat(),
        };
        let mut word = [0; 32];
        word[..init.len()].copy_from_slice(&init);
        let code = [
            &[op::PUSH32][..],
            &word,
            &[
                op::PUSH0,
                op::MSTORE,
                op::PUSH1,
                init.len() as u8,
                op::PUSH0,
                op::PUSH1,
                3,
                op::CREATE,
            ],
            &[
                op::BALANCE,
                op::SELFBALANCE,
                op::PUSH0,
                op::MSTORE,
                op::PUSH1,
                32,
                op::MSTORE,
            ],
            &[op::PUSH1, 64, op::PUSH0, op::RETURN],
        ]
        .concat();
        let outcome = agree(&code);
        let words = [0, 32].map(|at| U256::from_be_slice(&outcome.output[at..at + 32]));
        assert_eq!(words, [U256::from(2), U256::ZERO]);
        assert_eq!(
            outcome.destroyed,
            U256::from(if heir.is_none() { 3 } else { 0 })
        );
    }
}

/// Runs `body` 40 times in a loop, on a stack with the counter below.
fn repeated(body: &[u8]) -> Vec<u8> {
    let head = [op::PUSH1, 40, op::JUMPDEST];
    let tail = [
        op::PUSH1,
        1,
        op::SWAP1,
        op::SUB,
        op::DUP1,
        op::PUSH1,
        2,
        op::JUMPI,
        op::STOP,
    ];
    [&head, body, &tail].concat()
}

/// A row of JUMPDESTs is one block, into which one may jump anywhere; it is translated twice.
#[test]
fn jumps_into_a_row_of_jumpdests() {
    for into in [60, 100, 127, 131] {
        let mut body = vec![op::DUP1, op::PUSH1, 1, op::AND, op::PUSH1, into, op::JUMPI];
        body.resize(200, op::JUMPDEST);
        body.extend([op::GAS, op::DUP2, op::SSTORE]);
        assert!(agree(&repeated(&body)).status.is_success());
    }
}

/// What does not fit into one block continues in another, whichever way it was translated.
#[test]
fn straight_code_longer_than_a_block() {
    let computes = [op::DUP1, op::GAS, op::ADD, op::PUSH0, op::MSTORE].repeat(300);
    let pushes = [vec![op::CALLER; 900], vec![op::XOR; 899], vec![op::POP]].concat();
    let constants = [
        op::PUSH3,
        1,
        2,
        3,
        op::PUSH9,
        9,
        8,
        7,
        6,
        5,
        4,
        3,
        2,
        1,
        op::MUL,
        op::POP,
    ];
    for body in [computes, pushes, constants.repeat(150)] {
        assert!(agree(&repeated(&body)).status.is_success());
    }
}

/// An immediate that the end of the code cuts off is filled with zeros.
#[test]
fn pushes_at_the_end_of_the_code() {
    for len in 1..=32 {
        for given in 0..=len {
            let mut code = vec![op::PUSH0; 7];
            code.push(op::PUSH0 + len);
            code.extend((1..=given).rev());
            assert!(agree(&code).status.is_success());
            // The same value is stored if more follows.
            code.extend(vec![0; usize::from(len - given)]);
            code.extend([op::PUSH0, op::SSTORE]);
            assert!(agree(&code).status.is_success());
        }
    }
}
