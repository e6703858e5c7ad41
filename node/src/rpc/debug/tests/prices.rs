//! Prices told in advance against what the machine charges: instruction by instruction, over
//! programs that nobody wrote.

use alloy_primitives::{Address, U256};
use cairn_vm::opcode as op;
use cairn_vm::trace::{Enter, Exited, FrameKind, Step, Tracer};
use cairn_vm::{CallRequest, Machine, Precompiles, Status, delegation};
use proptest::prelude::*;

use super::super::base::Base;
use super::super::price::{Priced, price};
use super::programs::apply;
use super::world::{World, block, call};
use super::{CONTRACT, NOBODY, OTHER, SENDER};

/// Whose code delegates to [`OTHER`].
const DELEGATED: Address = Address::repeat_byte(0xd7);

/// Compares every price with the gas before the next instruction of the same frame.
struct Comparison<'a> {
    base: Base<'a>,
    frames: Vec<Frame>,
    compared: usize,
}

struct Frame {
    gas: u64,
    is_creation: bool,
    /// The instruction that runs, and the gas that is left after it as far as it is known.
    running: Option<(u8, Priced, u64)>,
    refund: Option<i64>,
}

impl Comparison<'_> {
    fn finished(&mut self, op: u8, priced: &Priced, predicted: u64, found: u64) {
        assert_eq!(priced.fault, None, "{} ran", op::name(op));
        assert_eq!(predicted, found, "gas after {}", op::name(op));
        self.compared += 1;
    }
}

impl Tracer for Comparison<'_> {
    const STEPS: bool = true;

    fn step(&mut self, step: &Step<'_>) {
        let frame = self.frames.last_mut().unwrap();
        let refund = frame.refund.replace(step.refund);
        if let Some((op, priced, left)) = frame.running.take() {
            if op == op::SSTORE {
                assert_eq!(priced.refund, step.refund, "after {refund:?}");
            }
            self.finished(op, &priced, left, step.gas);
        }
        let priced = price(step, self.base).unwrap();
        let left = step.gas.saturating_sub(priced.cost);
        self.frames.last_mut().unwrap().running = Some((step.opcode, priced, left));
    }

    fn enter(&mut self, enter: &Enter<'_>) {
        if let Some((op, priced, left)) = self.frames.last().and_then(|frame| frame.running) {
            assert_eq!(priced.fault, None, "{} began a frame", op::name(op));
            let is_creation = enter.kind.is_creation();
            let kept = if is_creation { left - enter.gas } else { left };
            assert_eq!(
                kept,
                enter.caller_gas,
                "{} hands on {}",
                op::name(op),
                enter.gas
            );
        }
        self.frames.push(Frame {
            gas: enter.gas,
            is_creation: matches!(enter.kind, FrameKind::Create | FrameKind::Create2),
            running: None,
            refund: None,
        });
    }

    fn exit(&mut self, exit: &Exited<'_>) {
        let frame = self.frames.pop().unwrap();
        let returned = frame.gas - exit.gas_used;
        if let Some((op, priced, left)) = frame.running {
            match exit.status {
                Status::Halt(_) => {
                    let by_itself = matches!(
                        op,
                        op::JUMP
                            | op::JUMPI
                            | op::INVALID
                            | op::RETURNDATACOPY
                            | op::TSTORE
                            | op::LOG0..=op::LOG4
                    );
                    let at_deployment = op == op::RETURN && frame.is_creation;
                    let unknown = op::info(op).is_none();
                    assert!(
                        priced.fault.is_some() || by_itself || at_deployment || unknown,
                        "nothing was wrong with {}: {:?}",
                        op::name(op),
                        exit.status
                    );
                }
                _ => {
                    let deposit = if frame.is_creation {
                        200 * exit.output.len() as u64
                    } else {
                        0
                    };
                    let deposit = if exit.status.is_success() { deposit } else { 0 };
                    self.finished(op, &priced, left, returned + deposit);
                }
            }
        }
        if let Some((_, _, left)) = self
            .frames
            .last_mut()
            .and_then(|frame| frame.running.as_mut())
        {
            match frame.is_creation {
                true => *left -= exit.gas_used,
                false => *left += returned,
            }
        }
    }
}

/// Runs `code` and its helpers, compares, and gives how many prices were compared.
fn compare(code: Vec<u8>, other: Vec<u8>, gas_limit: u64) -> usize {
    let world = World::with(code)
        .account(CONTRACT, 10)
        .contract(OTHER, other)
        .contract(DELEGATED, delegation::indicator(OTHER))
        .slot(CONTRACT, 1, 5)
        .slot(OTHER, 1, 5);
    let call = CallRequest {
        gas_limit,
        access_list: vec![(NOBODY, vec![]), (CONTRACT, vec![U256::from(32).into()])],
        ..call(CONTRACT)
    };
    let (base, frames, compared) = (Base(&world), Vec::new(), 0);
    let mut comparison = Comparison {
        base,
        frames,
        compared,
    };
    let mut machine = Machine::new(Precompiles::osaka());
    machine
        .call_traced(&world, &block(), &call, &mut comparison)
        .unwrap();
    comparison.compared
}

/// Operands that make instructions do something.
fn operand() -> impl Strategy<Value = U256> {
    let accounts = [
        SENDER,
        CONTRACT,
        OTHER,
        NOBODY,
        DELEGATED,
        Address::with_last_byte(4),
        Address::repeat_byte(3),
    ];
    prop_oneof![
        6 => prop::sample::select(vec![0_u64, 1, 2, 31, 32, 33, 64, 100, 1_000]).prop_map(U256::from),
        3 => prop::sample::select(accounts.to_vec()).prop_map(super::programs::word),
        1 => (0_u64..100_000).prop_map(U256::from),
        1 => prop::sample::select(vec![U256::MAX, U256::from(1_u64 << 38), U256::from(u64::MAX)]),
    ]
}

/// An instruction with operands of its own, most of which is then dropped.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let all: Vec<u8> = (0..=u8::MAX)
        .filter(|byte| op::info(*byte).is_some())
        .collect();
    let dear = vec![
        op::SSTORE,
        op::SLOAD,
        op::CALL,
        op::CALLCODE,
        op::DELEGATECALL,
        op::STATICCALL,
        op::CREATE,
        op::CREATE2,
        op::EXTCODECOPY,
        op::BALANCE,
        op::EXTCODEHASH,
        op::EXP,
        op::KECCAK256,
        op::MCOPY,
        op::LOG2,
        op::MSTORE,
        op::CALLDATACOPY,
        op::RETURNDATACOPY,
        op::CODECOPY,
    ];
    let byte = prop_oneof![
        1 => prop::sample::select(all),
        3 => prop::sample::select(dear),
    ];
    (byte, prop::collection::vec(operand(), 7)).prop_map(|(byte, operands)| {
        let info = op::info(byte).unwrap();
        let code = apply(byte, &operands[..usize::from(info.inputs).min(7)]);
        let drop = if info.outputs == 1 {
            vec![op::POP]
        } else {
            vec![]
        };
        [code, drop].concat()
    })
}

fn program(pieces: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), pieces).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(3_000)))]

    #[test]
    fn prices_are_what_the_machine_charges(
        code in program(1..25),
        other in program(0..8),
        gas_limit in prop_oneof![30_000_u64..60_000, 60_000_u64..2_000_000],
    ) {
        compare(code, other, gas_limit);
    }
}

#[test]
fn every_instruction_is_compared() {
    let mut compared = 0;
    for byte in (0..=u8::MAX).filter(|byte| op::info(*byte).is_some()) {
        let inputs = usize::from(op::info(byte).unwrap().inputs);
        // Jumps go to the JUMPDEST right behind them.
        let here = 2 * inputs as u64;
        let operands: Vec<U256> = (0..inputs as u64)
            .map(|index| U256::from(if index == 0 { here } else { 1 }))
            .collect();
        let is_jump = matches!(byte, op::JUMP | op::JUMPI);
        let operands = if is_jump {
            operands
                .iter()
                .map(|at| *at + U256::from(u64::from(!at.is_zero())))
                .collect()
        } else {
            operands
        };
        let code = [apply(byte, &operands), vec![op::JUMPDEST, op::STOP]].concat();
        compared += usize::from(compare(code, vec![op::STOP], 500_000) > inputs);
    }
    assert!(compared >= 145, "only {compared} instructions ran");
}
