//! The limits of a run: nothing recurses natively, and nothing is longer than gas pays for.

use std::{sync::Arc, thread};

use alloy_primitives::{Address, TxKind, U256};
use cairn_vm::{
    BlockEnv, CallRequest, Halt, Machine, Outcome, Precompiles, Status, TxEnv, gas, opcode as op,
    trace::{Enter, Exited, Step, Tracer},
};

use crate::{
    cast::{CONTRACTS, SENDER},
    machines::Machines,
    result::Summary,
    world::{Account, World},
};

/// Native stack of a thread that runs the deepest recursion: less than a kilobyte for each of 1,025 frames would
/// already be more.
const NATIVE_STACK_BYTES: usize = 128 << 10;

/// Enough for any recursion: all but one 64th, 1,024 times, leaves some.
const RICH: u64 = 1 << 50;

/// What a transaction may have (EIP-7825).
const CAP: u64 = gas::TRANSACTION_GAS_CAP;

/// The calls; the byte and whether a value is among the operands.
const CALLS: [(u8, bool); 4] = [
    (op::CALL, true),
    (op::CALLCODE, true),
    (op::DELEGATECALL, false),
    (op::STATICCALL, false),
];

/// Watches how deep and how long things become.
#[derive(Debug, Default)]
struct Lengths {
    /// Memory of each frame that is alive.
    memories: Vec<usize>,
    deepest: usize,
    most_memory: usize,
    /// The most memory of all frames that are alive at once.
    most_in_all: usize,
    most_return_data: usize,
}

impl Tracer for Lengths {
    const STEPS: bool = true;

    fn enter(&mut self, _: &Enter<'_>) {
        self.memories.push(0);
        self.deepest = self.deepest.max(self.memories.len());
    }

    fn exit(&mut self, exit: &Exited<'_>) {
        self.memories.pop();
        self.most_return_data = self.most_return_data.max(exit.output.len());
    }

    fn step(&mut self, step: &Step<'_>) {
        if let Some(memory) = self.memories.last_mut() {
            *memory = step.memory.len();
        }
        self.most_memory = self.most_memory.max(step.memory.len());
        self.most_in_all = self.most_in_all.max(self.memories.iter().sum());
        self.most_return_data = self.most_return_data.max(step.return_data.len());
    }
}

fn world(code: Vec<u8>) -> World {
    let mut world = World::default();
    world.put(Account::new(CONTRACTS[0], 1, U256::ZERO).with_code(code.into()));
    world
}

fn block() -> BlockEnv {
    BlockEnv {
        number: 1,
        gas_limit: u64::MAX,
        chain_id: 31_337,
        blob_base_fee: 1,
        ..BlockEnv::default()
    }
}

fn request(gas_limit: u64) -> CallRequest {
    CallRequest {
        sender: SENDER,
        gas_limit,
        to: TxKind::Call(CONTRACTS[0]),
        ..CallRequest::default()
    }
}

/// Runs code with so much gas.
fn run<T: Tracer>(code: Vec<u8>, gas_limit: u64, tracer: &mut T) -> Outcome {
    let mut machine = Machine::new(Precompiles::osaka());
    let outcome = machine.call_traced(&world(code), &block(), &request(gas_limit), tracer);
    outcome.expect("the call is valid and the state never fails")
}

/// A call of `to` with all gas; the flag stays on the stack.
fn call((byte, has_value): (u8, bool), to: Address) -> Vec<u8> {
    let mut code = vec![op::PUSH0; if has_value { 5 } else { 4 }];
    code.push(op::PUSH20);
    code.extend(to);
    code.extend([op::GAS, byte]);
    code
}

/// Creates a contract of the same init code.
fn create(byte: u8) -> Vec<u8> {
    let copy = [op::CODESIZE, op::PUSH0, op::PUSH0, op::CODECOPY];
    [
        &copy[..],
        &[op::PUSH0, op::CODESIZE, op::PUSH0, op::PUSH0, byte],
    ]
    .concat()
}

/// What revm says of the same run.
fn theirs(code: Vec<u8>, gas_limit: u64) -> Option<Summary> {
    let mut world = world(code);
    world.put(Account::new(SENDER, 0, U256::ZERO));
    let to = TxKind::Call(CONTRACTS[0]);
    let tx = TxEnv {
        sender: SENDER,
        gas_limit,
        to,
        ..TxEnv::default()
    };
    Machines::with_cap(Some(u64::MAX)).theirs(&Arc::new(world), &block(), &tx)
}

/// Runs it where there is little native stack, in one piece and step by step.
fn run_on_little_stack(code: &[u8]) -> (Outcome, Lengths) {
    let code = code.to_vec();
    let run = move || {
        let mut lengths = Lengths::default();
        let stepped = run(code.clone(), RICH, &mut lengths);
        let fast = run(code, RICH, &mut cairn_vm::trace::NoTracer);
        assert_eq!(fast, stepped);
        (fast, lengths)
    };
    let thread = thread::Builder::new()
        .stack_size(NATIVE_STACK_BYTES)
        .spawn(run);
    thread
        .expect("a thread can be started")
        .join()
        .expect("the run does not panic")
}

#[test]
fn the_deepest_recursion_needs_little_native_stack() {
    let calls = CALLS.map(|kind| call(kind, CONTRACTS[0]));
    let creations = [op::CREATE, op::CREATE2].map(create);
    for code in calls.into_iter().chain(creations) {
        let (outcome, lengths) = run_on_little_stack(&code);
        // The Yellow Paper: 1,024 above the outermost frame, and one that is refused.
        assert_eq!(lengths.deepest, 1_026, "{code:02x?}");
        let theirs = theirs(code, RICH).expect("valid");
        assert_eq!(
            (outcome.gas_used, outcome.output),
            (theirs.gas_used, theirs.output)
        );
    }
}

#[test]
fn a_precompile_at_the_deepest_level_is_refused_as_well() {
    // Counts in transient storage; the innermost frame calls the identity.
    let count = [
        op::PUSH0,
        op::TLOAD,
        op::PUSH1,
        1,
        op::ADD,
        op::PUSH0,
        op::TSTORE,
    ];
    let recurse = call(CALLS[0], CONTRACTS[0]);
    let identity = call(CALLS[0], Address::with_last_byte(4));
    let show_flags = [op::PUSH0, op::MSTORE, op::PUSH1, 32, op::MSTORE];
    let show_count = [
        op::PUSH0,
        op::TLOAD,
        op::PUSH1,
        64,
        op::MSTORE,
        op::MSIZE,
        op::PUSH0,
        op::RETURN,
    ];
    let code = [&count[..], &recurse, &identity, &show_flags, &show_count].concat();
    let (outcome, lengths) = run_on_little_stack(&code);
    let theirs = theirs(code, RICH).expect("valid");
    assert_eq!(lengths.deepest, 1_026);
    assert_eq!(
        U256::from_be_slice(&outcome.output[64..]),
        U256::from(1_025)
    );
    assert_eq!(
        (outcome.gas_used, outcome.output),
        (theirs.gas_used, theirs.output)
    );
}

#[test]
fn memory_is_no_longer_than_gas_pays_for() {
    // Grows word by word until the gas is gone.
    let code = vec![
        op::JUMPDEST,
        op::MSIZE,
        op::MLOAD,
        op::POP,
        op::PUSH0,
        op::JUMP,
    ];
    let mut lengths = Lengths::default();
    let outcome = run(code, CAP, &mut lengths);
    assert_eq!(outcome.status, Status::Halt(Halt::OutOfGas));
    let price = gas::memory(lengths.most_memory as u64).expect("a price");
    assert!(lengths.most_memory > 1 << 20 && price < CAP, "{lengths:?}");
}

/// Instructions that name a range of memory: what is pushed before the length, and before the offset.
const RANGES: [(&[u8], &[u8], u8); 14] = [
    (&[], &[], op::KECCAK256),
    (&[], &[], op::RETURN),
    (&[], &[], op::REVERT),
    (&[], &[], op::LOG0),
    (&[], &[op::PUSH0], op::CALLDATACOPY),
    (&[], &[op::PUSH0], op::CODECOPY),
    (&[], &[op::PUSH0], op::MCOPY),
    (&[op::PUSH0, op::PUSH0], &[], op::STATICCALL),
    (&[op::PUSH0, op::PUSH0], &[], op::CALL),
    (&[], &[], op::DELEGATECALL),
    (&[], &[], op::CREATE),
    (&[op::PUSH0], &[], op::CREATE2),
    (&[], &[], op::MLOAD),
    (&[op::PUSH0], &[], op::MSTORE),
];

/// What an instruction takes above its range.
fn above(byte: u8) -> &'static [u8] {
    match byte {
        op::CALL => &[op::PUSH0, op::ADDRESS, op::GAS],
        op::STATICCALL => &[op::ADDRESS, op::GAS],
        // The range is that of the output.
        op::DELEGATECALL => &[op::PUSH0, op::PUSH0, op::ADDRESS, op::GAS],
        op::CREATE | op::CREATE2 => &[op::PUSH0],
        _ => &[],
    }
}

fn push(value: U256) -> Vec<u8> {
    [&[op::PUSH32][..], &value.to_be_bytes::<32>()].concat()
}

#[test]
fn memory_that_no_gas_pays_for_is_refused_by_every_instruction() {
    let far = [
        1 << 24,
        (1 << 32) - 32,
        1 << 32,
        1 << 40,
        1 << 63,
        u64::MAX - 31,
        u64::MAX,
    ]
    .map(U256::from);
    let far = [
        &far[..],
        &[U256::ONE << 64, U256::MAX - U256::from(31), U256::MAX],
    ]
    .concat();
    for (first, between, byte) in RANGES {
        for edge in &far {
            for (offset, len) in [(U256::ZERO, *edge), (*edge, U256::ONE), (*edge, *edge)] {
                let word_only = matches!(byte, op::MLOAD | op::MSTORE);
                if word_only && offset.is_zero() {
                    continue;
                }
                let len = if word_only { Vec::new() } else { push(len) };
                let code = [first, &len, between, &push(offset), above(byte), &[byte]].concat();
                let mut lengths = Lengths::default();
                let outcome = run(code, CAP, &mut lengths);
                let status = outcome.status;
                assert!(
                    matches!(
                        status,
                        Status::Halt(Halt::OutOfGas | Halt::InitCodeTooLarge)
                    ),
                    "{byte:x}: {status:?}"
                );
                assert_eq!((outcome.output.len(), lengths.most_memory), (0, 0));
            }
        }
    }
}

#[test]
fn all_memory_of_a_recursion_is_paid_for() {
    // Each frame takes 64 KiB before it calls itself.
    let take = [op::PUSH2, 0xff, 0xe0, op::MLOAD, op::POP];
    for kind in CALLS {
        let mut lengths = Lengths::default();
        let outcome = run(
            [&take[..], &call(kind, CONTRACTS[0])].concat(),
            CAP,
            &mut lengths,
        );
        let words = lengths.most_in_all as u64 / 32;
        assert!(
            words > 1 << 16 && 3 * words < outcome.gas_used,
            "{lengths:?}"
        );
    }
}

#[test]
fn return_data_is_no_longer_than_the_memory_it_came_from() {
    // Without calldata it calls itself with one byte, over and over; else it returns a mebibyte.
    let answer = [op::PUSH3, 0x10, 0, 0, op::PUSH0, op::RETURN];
    let mut code = vec![op::CALLDATASIZE, op::PUSH1, 0, op::JUMPI, op::JUMPDEST];
    code.extend(call_with_a_byte());
    code.extend([op::POP, op::PUSH1, 4, op::JUMP, op::JUMPDEST]);
    code[2] = code.len() as u8 - 1;
    code.extend(answer);
    let mut lengths = Lengths::default();
    let outcome = run(code, CAP, &mut lengths);
    assert_eq!(outcome.status, Status::Halt(Halt::OutOfGas));
    assert_eq!(lengths.most_return_data, 1 << 20);
    assert!(outcome.output.is_empty());
}

fn call_with_a_byte() -> Vec<u8> {
    let mut code = vec![op::PUSH0, op::PUSH0, op::PUSH1, 1, op::PUSH0, op::PUSH20];
    code.extend(CONTRACTS[0]);
    code.extend([op::GAS, op::STATICCALL]);
    code
}

#[test]
fn the_longest_output_is_that_of_the_outermost_frame() {
    let len = 2_900_000;
    let code = [&push(U256::from(len))[..], &[op::PUSH0, op::RETURN]].concat();
    let outcome = run(code, CAP, &mut Lengths::default());
    assert_eq!(
        (outcome.status, outcome.output.len()),
        (Status::Success, len)
    );
    assert!(outcome.output == vec![0; len]);
}
