//! The plain translation: an operation for each instruction that does something.
//!
//! Every item lies where the stack has it, so the translation needs only to know the height. It takes one pass, no
//! tables and no allocation: what a stranger makes the machine run once must not cost much more than to run it.

use alloy_primitives::U256;

use super::{
    ENTRY, Op, OpKind, Program, Translation,
    block::{MAX_NEED, MAX_OPERATIONS, Next},
    immediate, meaning,
};
use crate::opcode;

/// What counts of an instruction, in a table that fits into a few cache lines.
#[derive(Clone, Copy)]
struct Shape {
    gas: u16,
    inputs: u8,
    /// Bytes with the immediate; 0 if there is no such instruction.
    len: u8,
}

static SHAPES: [Shape; 256] = {
    let none = Shape {
        gas: 0,
        inputs: 0,
        len: 0,
    };
    let mut shapes = [none; 256];
    let mut byte = 0;
    while byte < 256 {
        if let Some(info) = opcode::TABLE[byte]
            && byte != opcode::INVALID as usize
        {
            shapes[byte] = Shape {
                gas: info.gas,
                inputs: info.inputs,
                len: 1 + info.immediate,
            };
        }
        byte += 1;
    }
    shapes
};

/// Translates one block.
pub(super) struct Plain<'a> {
    program: &'a mut Program,
    /// The next instruction.
    pc: usize,
    gas: u64,
    /// Height of the stack above where it was at the start, also the least and the greatest so far.
    height: i32,
    least: i32,
    greatest: i32,
    /// Whether an operation looks at the gas of the block's rest.
    sees_gas: bool,
}

impl<'a> Plain<'a> {
    /// Translates the block at `pc`; its operations follow those of the program. Returns what follows it.
    pub fn translate(program: &'a mut Program, pc: usize) -> Option<Next> {
        let start = program.ops.len();
        let byte = program.code.get(pc).copied();
        // The header is known at the end.
        program.ops.push(Op::block(pc, byte, 0, 0, 0));
        let mut plain = Self {
            program,
            pc,
            gas: 0,
            height: 0,
            least: 0,
            greatest: 0,
            sees_gas: false,
        };
        let next = plain.run();
        let need = plain.least.unsigned_abs() as usize;
        let growth = plain.greatest.unsigned_abs() as usize;
        let header = Op::block(pc, byte, plain.gas, need, growth);
        plain.finish(start, header);
        next
    }

    /// Writes what is known at the end only.
    fn finish(self, start: usize, header: Op) {
        let ops = &mut self.program.ops[start..];
        ops[0] = header;
        if self.sees_gas {
            for op in ops {
                if matches!(op.code, OpKind::Gas | OpKind::SStore) {
                    op.imm = self.gas - op.imm;
                }
            }
        }
    }

    fn run(&mut self) -> Option<Next> {
        let start = self.pc;
        let row = self.program.row(start);
        if row > 0 {
            self.pc += row;
            self.gas = row as u64;
            return self.fall();
        }
        let full = self.program.ops.len() + MAX_OPERATIONS;
        loop {
            let pc = self.pc;
            let Some(&byte) = self.program.code.get(pc) else {
                self.leave(OpKind::Stop, [0; 2], 0);
                return None;
            };
            if byte == opcode::JUMPDEST && pc != start {
                return self.fall();
            }
            let shape = SHAPES[usize::from(byte)];
            if shape.len == 0 {
                self.leave(OpKind::Invalid, [0; 2], u64::from(byte));
                return None;
            }
            self.pc += usize::from(shape.len);
            self.gas += u64::from(shape.gas);
            self.least = self.least.min(self.height - i32::from(shape.inputs));
            if let Some(code) = self.instruction(pc, byte, i32::from(shape.inputs)) {
                let falls_through = code == OpKind::JumpIf || meaning::is_call(code);
                return falls_through.then_some(self.next(false));
            }
            self.greatest = self.greatest.max(self.height);
            let is_full = self.program.translation == Translation::ByInstruction
                || self.program.ops.len() >= full
                || self.greatest >= MAX_OPERATIONS as i32
                || self.least <= -(MAX_NEED as i32);
            if is_full {
                return self.fall();
            }
        }
    }

    /// Translates one instruction; returns what ends the block, if it does.
    fn instruction(&mut self, pc: usize, byte: u8, inputs: i32) -> Option<OpKind> {
        use opcode as op;
        match byte {
            op::JUMPDEST => {}
            op::POP => self.height -= 1,
            op::PUSH0 => self.small(0),
            op::PUSH1..=op::PUSH8 => {
                let len = usize::from(byte - op::PUSH0);
                let value = short_immediate(&self.program.code, pc, len);
                self.small(value);
            }
            op::PUSH9..=op::PUSH32 => {
                let value = immediate(&self.program.code, pc, usize::from(byte - op::PUSH0));
                self.literal(value);
            }
            op::DUP1..=op::DUP16 => {
                let from = self.item(i32::from(byte - op::DUP1));
                self.height += 1;
                self.write(OpKind::Move, self.item(0), [from, 0], 0);
            }
            op::SWAP1..=op::SWAP16 => {
                let places = [self.item(0), self.item(i32::from(byte - op::SWAP1) + 1)];
                self.write(OpKind::Swap, 0, places, 0);
            }
            op::PC => self.small(pc as u64),
            op::CODESIZE => self.small(self.program.code.len() as u64),
            op::BLOBHASH => {
                // Cairn has no blobs.
                self.height -= 1;
                self.small(0);
            }
            _ if meaning::is_environment(byte) => {
                self.height += 1;
                self.write(OpKind::Environment, self.item(0), [0; 2], u64::from(byte));
            }
            _ => return self.operation(byte, inputs),
        }
        None
    }

    /// Instructions that become an operation with their operands. These lie one below the other.
    fn operation(&mut self, byte: u8, inputs: i32) -> Option<OpKind> {
        let (code, has_result) = match meaning::computation(byte) {
            Some(computation) => computation,
            None => return Some(self.ending(byte, inputs)),
        };
        let mut imm = 0;
        if matches!(code, OpKind::Gas | OpKind::SStore) {
            self.sees_gas = true;
            imm = self.gas;
        }
        for index in 2..inputs {
            imm |= u64::from(self.item(index)) << (16 * (index - 2));
        }
        let mut places = [self.item(0), self.item(1)];
        if meaning::is_reversed(byte) {
            places.swap(0, 1);
        }
        self.height += i32::from(has_result) - inputs;
        self.write(code, self.item(0), places, imm);
        None
    }

    fn ending(&mut self, byte: u8, inputs: i32) -> OpKind {
        let code = meaning::ending(byte).expect("all others are computations");
        let mut places = [self.item(0), self.item(1)];
        if code == OpKind::JumpIf {
            places.swap(0, 1);
        }
        // Those of calls stay on the stack.
        if !meaning::is_call(code) {
            self.height -= inputs;
        }
        self.leave(code, places, 0);
        code
    }

    /// The block ends, and another one follows.
    fn fall(&mut self) -> Option<Next> {
        if self.height != 0 {
            self.leave(OpKind::Fall, [0; 2], 0);
        }
        Some(self.next(true))
    }

    fn next(&self, is_certain: bool) -> Next {
        Next {
            pc: self.pc,
            is_certain,
        }
    }

    fn small(&mut self, value: u64) {
        self.height += 1;
        self.write(OpKind::Small, self.item(0), [0; 2], value);
    }

    fn literal(&mut self, value: U256) {
        let index = self.program.literals.len() as u64;
        self.program.literals.push(value);
        self.height += 1;
        self.write(OpKind::Literal, self.item(0), [0; 2], index);
    }

    /// What ends the block leaves the stack at this height.
    fn leave(&mut self, code: OpKind, places: [u16; 2], imm: u64) {
        self.write(code, self.item(-1), places, imm);
    }

    fn write(&mut self, code: OpKind, dst: u16, [a, b]: [u16; 2], imm: u64) {
        let op = Op {
            code,
            dst,
            a,
            b,
            imm,
        };
        self.program.ops.push(op);
    }

    /// The place of the item so far below the top, from 0.
    fn item(&self, depth: i32) -> u16 {
        (i32::from(ENTRY) + self.height - 1 - depth) as u16
    }
}

/// As [`immediate`], of one to eight bytes.
fn short_immediate(code: &[u8], pc: usize, len: usize) -> u64 {
    // The eight bytes of which the last ones are the operand.
    let bytes = (pc + 1 + len)
        .checked_sub(8)
        .and_then(|start| code.get(start..));
    match bytes.and_then(|bytes| bytes.first_chunk::<8>()) {
        Some(bytes) => u64::from_be_bytes(*bytes) & u64::MAX >> (64 - 8 * len),
        None => immediate(code, pc, len).as_limbs()[0],
    }
}
