//! What tracers are told, and that they can stop a run.

use crate::world::{ALICE, BOB, World, block};
use alloy_primitives::{Address, Log, TxKind, U256, hex};
use cairn_vm::journal::SlotAccess;
use cairn_vm::trace::{Enter, Exited, Step, Tracer};
use cairn_vm::{CallRequest, Machine, Status, opcode};

const CAROL: Address = Address::repeat_byte(0xca);

/// Notes everything down.
#[derive(Default)]
struct Notes {
    logs: Vec<(Address, usize)>,
    steps: usize,
    frames: usize,
    most_steps: Option<usize>,
    static_steps: usize,
    /// Before each SLOAD: whether the slot is warm, and what is known of it.
    slots: Vec<(bool, Option<SlotAccess>)>,
    /// Before each BALANCE of Carol: whether she is warm, and what is known of her.
    carol: Vec<(bool, Option<U256>)>,
}

impl Tracer for Notes {
    const STEPS: bool = true;

    fn step(&mut self, step: &Step<'_>) {
        self.steps += 1;
        self.static_steps += usize::from(step.is_static);
        match step.opcode {
            opcode::SLOAD => {
                let slot = *step.stack.last().unwrap();
                let known = step.journal.peek_slot(step.address, slot);
                self.slots
                    .push((step.journal.is_slot_warm(step.address, slot), known));
            }
            opcode::BALANCE => {
                let known = step.journal.peek(CAROL).map(|account| account.balance());
                self.carol.push((step.journal.is_warm(CAROL), known));
            }
            _ => {}
        }
    }

    fn enter(&mut self, _: &Enter<'_>) {
        self.frames += 1;
    }

    fn exit(&mut self, _: &Exited<'_>) {
        self.frames -= 1;
    }

    fn log(&mut self, log: &Log, index: usize) {
        self.logs.push((log.address, index));
    }

    fn is_stopped(&self) -> bool {
        self.most_steps.is_some_and(|most| self.steps >= most)
    }
}

fn watched(world: &World, mut notes: Notes) -> (Notes, Status) {
    let call = CallRequest {
        sender: ALICE,
        gas_limit: 1 << 40,
        to: TxKind::Call(BOB),
        ..CallRequest::default()
    };
    let outcome = Machine::default().call_traced(world, &block(), &call, &mut notes);
    (notes, outcome.unwrap().status)
}

/// CALL of Carol, or STATICCALL, without anything.
fn calling_carol(with_value: bool) -> Vec<u8> {
    let zeros = if with_value {
        &hex!("5f5f5f5f5f")[..]
    } else {
        &hex!("5f5f5f5f")
    };
    let call = if with_value { 0xf1 } else { 0xfa };
    [zeros, &[0x73], CAROL.as_slice(), &[0x5a, call, 0x50]].concat()
}

#[test]
fn logs_are_told_with_their_place_and_those_undone_leave_it() {
    let log = hex!("5f5fa0");
    let code = [&log[..], &calling_carol(true), &log].concat();
    let world = World::new().with_code(BOB, &code);
    let kept = World::new().with_code(BOB, &code).with_code(CAROL, &log);
    let undone = world.with_code(CAROL, &hex!("5f5fa0" "5f5ffd"));
    let logs = |world| watched(world, Notes::default()).0.logs;
    assert_eq!(logs(&kept), [(BOB, 0), (CAROL, 1), (BOB, 2)]);
    assert_eq!(logs(&undone), [(BOB, 0), (CAROL, 1), (BOB, 1)]);
}

#[test]
fn a_run_that_nobody_wants_to_see_ends_at_once_in_every_frame() {
    // Bob calls Carol, who loops for ever.
    let world = World::new()
        .with_code(BOB, &calling_carol(true))
        .with_code(CAROL, &hex!("5b5f56"));
    let notes = Notes {
        most_steps: Some(100),
        ..Notes::default()
    };
    let (notes, status) = watched(&world, notes);
    assert!(matches!(status, Status::Halt(_)));
    // One more step in each of the two frames at the most.
    assert!(notes.steps <= 102, "{}", notes.steps);
    assert_eq!(notes.frames, 0, "every frame that began has ended");
}

#[test]
fn steps_see_what_the_transaction_has_read_so_far() {
    // SLOAD 1 twice, SSTORE 1 := 9, SLOAD 1, BALANCE of Carol twice.
    let balance = [&[0x73][..], CAROL.as_slice(), &hex!("3150")].concat();
    let code = [
        &hex!("6001545060015450600960015560015450")[..],
        &balance,
        &balance,
    ]
    .concat();
    let mut world = World::new().with_code(BOB, &code).with_balance(CAROL, 7);
    let seven = U256::from(7);
    world
        .entries
        .get_mut(&BOB)
        .unwrap()
        .storage
        .insert(U256::ONE, seven);
    let (notes, status) = watched(&world, Notes::default());
    assert_eq!(status, Status::Success);
    let known = |current: u64| {
        let access = SlotAccess {
            original: seven,
            current: U256::from(current),
            cold: false,
        };
        (true, Some(access))
    };
    assert_eq!(notes.slots, [(false, None), known(7), known(9)]);
    assert_eq!(notes.carol, [(false, None), (true, Some(seven))]);
    assert_eq!(notes.static_steps, 0);
}

#[test]
fn steps_know_whether_the_state_may_change() {
    let world = World::new()
        .with_code(BOB, &calling_carol(false))
        .with_code(CAROL, &hex!("5f5f"));
    let (notes, _) = watched(&world, Notes::default());
    assert_eq!(
        notes.static_steps, 3,
        "two instructions, and the end of the code"
    );
}
