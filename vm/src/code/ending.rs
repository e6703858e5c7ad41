//! How a followed block ends: jumps, calls, and what ends the frame.

use super::{
    OpKind, UNRESOLVED,
    block::{End, Operands, Value},
    follow::Follower,
    meaning,
};
use crate::word;

impl Follower<'_> {
    /// The block ends with this instruction.
    pub fn ending(&mut self, code: OpKind, byte: u8) {
        match code {
            OpKind::Jump => self.jump(),
            OpKind::JumpIf => self.jump_if(),
            _ if meaning::is_call(code) => self.call(code),
            _ => {
                let operands = self.pop_operands(byte);
                self.finish(code, operands.as_slice(), 0);
            }
        }
    }

    fn call(&mut self, code: OpKind) {
        self.block.end = End {
            code,
            operands: Operands::new(&[]),
            imm: 0,
            keeps_stack: true,
            falls_through: true,
        };
        self.count_uses();
    }

    /// The frame ends here.
    pub fn finish(&mut self, code: OpKind, operands: &[Value], imm: u64) {
        let operands = Operands::new(operands);
        self.block.end = End {
            code,
            operands,
            imm,
            keeps_stack: false,
            falls_through: false,
        };
        self.block.stack.clear();
        self.count_uses();
    }

    /// Another block follows.
    pub fn fall(&mut self) {
        let operands = Operands::new(&[]);
        let (keeps_stack, falls_through) = (true, true);
        self.block.end = End {
            code: OpKind::Fall,
            operands,
            imm: 0,
            keeps_stack,
            falls_through,
        };
        self.count_uses();
    }

    fn jump(&mut self) {
        let target = self.pop();
        let (code, operands, imm) = match self.known(target) {
            Some(pc) if self.program.is_target(pc) => (
                OpKind::JumpTo,
                Operands::new(&[]),
                word::saturated(pc) | UNRESOLVED,
            ),
            Some(_) => return self.finish(OpKind::BadJump, &[], 0),
            None => (OpKind::Jump, Operands::new(&[target]), 0),
        };
        self.block.end = End {
            code,
            operands,
            imm,
            keeps_stack: true,
            falls_through: false,
        };
        self.count_uses();
    }

    fn jump_if(&mut self) {
        let (target, condition) = (self.pop(), self.pop());
        let known = self.known(target);
        let (code, operands, imm) = match known {
            Some(pc) if self.program.is_target(pc) => {
                self.block.end.operands = Operands::new(&[condition]);
                self.count_uses();
                let (code, operands) = self.condition(condition);
                (code, operands, word::saturated(pc) | UNRESOLVED)
            }
            // A place that is no target fails only if the jump is taken.
            _ => (OpKind::JumpIf, Operands::new(&[condition, target]), 0),
        };
        self.block.end = End {
            code,
            operands,
            imm,
            keeps_stack: true,
            falls_through: true,
        };
        self.count_uses();
    }

    /// Melts a comparison that nobody else needs into the jump.
    fn condition(&self, condition: Value) -> (OpKind, Operands) {
        let (mut value, mut if_true) = (condition, true);
        while let Value::Result(index) = value {
            let operation = &self.block.operations[usize::from(index)];
            if operation.uses != 1 {
                break;
            }
            let code = match (operation.code, if_true) {
                (OpKind::IsZero, _) => {
                    value = operation.operands.as_slice()[0];
                    if_true = !if_true;
                    continue;
                }
                (OpKind::Lt, true) => OpKind::JumpToIfLt,
                (OpKind::Lt, false) => OpKind::JumpToIfNotLt,
                (OpKind::Slt, true) => OpKind::JumpToIfSlt,
                (OpKind::Slt, false) => OpKind::JumpToIfNotSlt,
                (OpKind::Eq, true) => OpKind::JumpToIfEq,
                (OpKind::Eq, false) => OpKind::JumpToIfNotEq,
                _ => break,
            };
            return (code, operation.operands);
        }
        let code = if if_true {
            OpKind::JumpToIf
        } else {
            OpKind::JumpToIfZero
        };
        (code, Operands::new(&[value]))
    }

    /// Counts how often each result is needed; what is pure and not needed becomes a no-op.
    fn count_uses(&mut self) {
        let block = &mut self.block;
        for operation in &mut block.operations {
            operation.uses = 0;
        }
        for value in block.stack.iter().chain(block.end.operands.as_slice()) {
            if let Value::Result(index) = value {
                block.operations[usize::from(*index)].uses += 1;
            }
        }
        for index in (0..block.operations.len()).rev() {
            let operation = &block.operations[index];
            if operation.is_dead() {
                continue;
            }
            for value in operation.operands.as_slice().to_owned() {
                if let Value::Result(index) = value {
                    block.operations[usize::from(index)].uses += 1;
                }
            }
        }
    }
}
