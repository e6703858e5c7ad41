//! Follows one basic block symbolically.
//!
//! The stack holds names of values in place of values: an item that was there before, a constant, or
//! the result of an operation. PUSH, POP, DUP and SWAP only rearrange names.

use alloy_primitives::U256;

use super::{
    CONSTANT, OpKind, Program,
    block::{Block, End, MAX_NEED, MAX_OPERATIONS, Operands, Operation, Value},
    immediate, meaning,
};
use crate::opcode;

/// What follows a block.
pub(super) struct Follower<'a> {
    pub program: &'a mut Program,
    pub block: Block,
}

impl<'a> Follower<'a> {
    /// Follows the block that starts at `pc`.
    pub fn follow(program: &'a mut Program, pc: usize) -> Block {
        let end = End {
            code: OpKind::Stop,
            operands: Operands::new(&[]),
            imm: 0,
            keeps_stack: false,
            falls_through: false,
        };
        let block = Block {
            pc,
            next_pc: pc,
            gas: 0,
            need: 0,
            growth: 0,
            operations: Vec::new(),
            stack: Vec::new(),
            end,
        };
        let mut follower = Follower { program, block };
        follower.run();
        follower.block
    }

    fn run(&mut self) {
        let row = self.program.row(self.block.pc);
        if row > 0 {
            self.block.next_pc += row;
            self.block.gas = row as u64;
            return self.fall();
        }
        loop {
            let pc = self.block.next_pc;
            let Some(&byte) = self.program.code.get(pc) else {
                return self.finish(OpKind::Stop, &[], 0);
            };
            let is_first = pc == self.block.pc;
            if byte == opcode::JUMPDEST && !is_first {
                return self.fall();
            }
            let Some(info) = opcode::info(byte).filter(|_| byte != opcode::INVALID) else {
                return self.finish(OpKind::Invalid, &[], u64::from(byte));
            };
            self.block.next_pc += 1 + usize::from(info.immediate);
            self.block.gas += u64::from(info.gas);
            self.reach(info.reach());
            let ended = self.instruction(pc, byte);
            let height = self.block.stack.len().saturating_sub(self.block.need);
            self.block.growth = self.block.growth.max(height);
            if ended {
                return;
            }
            if self.is_full() {
                return self.fall();
            }
        }
    }

    fn is_full(&self) -> bool {
        let block = &self.block;
        block.operations.len() >= MAX_OPERATIONS
            || block.growth >= MAX_OPERATIONS
            || block.need >= MAX_NEED
    }

    /// Makes sure that the top `items` have names.
    fn reach(&mut self, items: usize) {
        let missing = items.saturating_sub(self.block.stack.len());
        if missing > 0 {
            let need = self.block.need;
            let named = (0..missing)
                .rev()
                .map(|below| Value::Entry((need + below + 1) as u16));
            self.block.stack.splice(0..0, named);
            self.block.need += missing;
        }
    }

    /// Follows one instruction; returns whether the block ends with it.
    fn instruction(&mut self, pc: usize, byte: u8) -> bool {
        use opcode as op;
        match byte {
            op::JUMPDEST => {}
            op::POP => {
                self.pop();
            }
            op::PUSH0 => self.push_constant(U256::ZERO),
            op::PUSH1..=op::PUSH32 => {
                let value = immediate(&self.program.code, pc, usize::from(byte - op::PUSH0));
                self.push_constant(value);
            }
            op::DUP1..=op::DUP16 => {
                let depth = usize::from(byte - op::DUP1) + 1;
                let value = self.block.stack[self.block.stack.len() - depth];
                self.block.stack.push(value);
            }
            op::SWAP1..=op::SWAP16 => {
                let top = self.block.stack.len() - 1;
                let depth = usize::from(byte - op::SWAP1) + 1;
                self.block.stack.swap(top, top - depth);
            }
            op::PC => self.push_constant(U256::from(pc)),
            op::CODESIZE => self.push_constant(U256::from(self.program.code.len())),
            op::BLOBHASH => {
                // Cairn has no blobs.
                self.pop();
                self.push_constant(U256::ZERO);
            }
            _ if meaning::is_environment(byte) => {
                self.operation(OpKind::Environment, &[], true, u64::from(byte));
            }
            _ => match meaning::ending(byte) {
                None => self.computation(byte),
                Some(code) => {
                    self.ending(code, byte);
                    return true;
                }
            },
        }
        false
    }

    fn computation(&mut self, byte: u8) {
        if meaning::is_reversed(byte) {
            let top = self.block.stack.len() - 1;
            self.block.stack.swap(top, top - 1);
        }
        let (code, has_result) =
            meaning::computation(byte).expect("all others end a block or move items");
        let operands = self.pop_operands(byte);
        if let Some(value) = self.folded(code, operands.as_slice()) {
            self.push_constant(value);
        } else {
            let gas_so_far = match code {
                OpKind::Gas | OpKind::SStore => self.block.gas,
                _ => 0,
            };
            self.operation(code, operands.as_slice(), has_result, gas_so_far);
        }
    }

    pub fn pop(&mut self) -> Value {
        self.block
            .stack
            .pop()
            .expect("what an instruction takes was named before")
    }

    pub fn pop_operands(&mut self, byte: u8) -> Operands {
        let count = opcode::info(byte).map_or(0, |info| usize::from(info.inputs));
        let mut values = [Value::Constant(0); 6];
        for value in &mut values[..count] {
            *value = self.pop();
        }
        Operands::new(&values[..count])
    }

    /// Pushes a constant, or what loads it where no place is left for one more.
    fn push_constant(&mut self, value: U256) {
        match self.program.constant(value) {
            Some(place) => self.block.stack.push(Value::Constant(place)),
            None => {
                let index = self.program.literals.len() as u64;
                self.program.literals.push(value);
                self.operation(OpKind::Literal, &[], true, index);
            }
        }
    }

    fn operation(&mut self, code: OpKind, operands: &[Value], has_result: bool, imm: u64) {
        let index = self.block.operations.len() as u16;
        let operands = Operands::new(operands);
        self.block.operations.push(Operation {
            code,
            operands,
            has_result,
            uses: 0,
            imm,
        });
        if has_result {
            self.block.stack.push(Value::Result(index));
        }
    }

    /// The value of a constant.
    pub fn known(&self, value: Value) -> Option<U256> {
        match value {
            Value::Constant(place) => self
                .program
                .constants
                .get(usize::from(place & !CONSTANT))
                .copied(),
            _ => None,
        }
    }

    /// The result of an operation on constants.
    fn folded(&self, code: OpKind, operands: &[Value]) -> Option<U256> {
        match *operands {
            [a] => meaning::unary(code, self.known(a)?),
            [a, b] => meaning::binary(code, self.known(a)?, self.known(b)?),
            _ => None,
        }
    }
}
