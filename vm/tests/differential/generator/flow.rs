//! Statements that jump: conditions, loops, internal functions, computed targets; and the end.

use alloy_primitives::U256;
use cairn_vm::opcode as op;

use super::{Builder, Label, Purpose};

const COMPARISONS: [u8; 5] = [op::LT, op::GT, op::SLT, op::SGT, op::EQ];

impl Builder<'_> {
    /// Leaves a condition on the stack.
    fn condition(&mut self) {
        match self.rng.below(10) {
            0 => {
                let constant = self.rng.below(2);
                self.push_small(constant);
            }
            1 => self.operand(),
            2 => {
                self.fill(1);
                self.op(op::DUP1);
            }
            _ => {
                if self.rng.one_in(2) {
                    self.operand();
                    self.operand();
                }
                self.fill(2);
                let byte = self.rng.pick(&COMPARISONS);
                self.op(byte);
            }
        }
        if self.rng.one_in(5) {
            // Somebody else needs it as well.
            self.op(op::DUP1);
        }
        for _ in 0..self.rng.pick(&[0, 0, 0, 1, 1, 2, 3]) {
            self.op(op::ISZERO);
        }
    }

    /// Pushes a target, plainly or so that only the run shows what it is.
    fn target(&mut self, label: Label) {
        match self.rng.below(12) {
            0 => {
                let mask = self.rng.next() as u16;
                self.op(op::PUSH2);
                self.asm.reference(label, mask);
                self.push(U256::from(mask));
                self.op(op::XOR);
            }
            1 => {
                self.push_label(label);
                self.op(op::CALLDATASIZE);
                self.op(op::DUP1);
                self.op(op::XOR);
                self.op(op::ADD);
            }
            2 => {
                self.push_label(label);
                self.push_small(0x40);
                self.op(op::MSTORE);
                self.push_small(0x40);
                self.op(op::MLOAD);
            }
            _ => self.push_label(label),
        }
    }

    fn jump(&mut self, label: Label) {
        self.target(label);
        self.op(op::JUMP);
    }

    /// Jumps if what is on the stack is not zero.
    fn jump_if(&mut self, label: Label) {
        self.target(label);
        self.op(op::JUMPI);
    }

    fn land(&mut self, label: Label) {
        self.asm.bind(label);
        self.op(op::JUMPDEST);
    }

    pub(super) fn if_then(&mut self) {
        let behind = self.asm.label();
        self.condition();
        self.jump_if(behind);
        let height = self.height;
        if self.rng.one_in(8) {
            self.statements(2);
            self.stop();
            self.height = height;
        } else {
            self.statements(5);
            self.settle(height);
        }
        self.land(behind);
    }

    pub(super) fn if_else(&mut self) {
        let (otherwise, behind) = (self.asm.label(), self.asm.label());
        self.condition();
        self.jump_if(otherwise);
        let height = self.height;
        let joined = height + self.rng.below(3);
        self.statements(4);
        self.settle(joined);
        self.jump(behind);
        self.height = height;
        self.land(otherwise);
        self.statements(4);
        self.settle(joined);
        self.land(behind);
    }

    /// A loop that counts down. Its counter lies below all that its body does.
    pub(super) fn repeat(&mut self) {
        let times = self.rng.between(1, if self.nesting > 0 { 3 } else { 7 }) as usize;
        let (again, before) = (self.asm.label(), self.floor);
        self.push_small(times);
        self.reserved.push(self.height - 1);
        self.floor = self.height;
        let height = self.height;
        self.land(again);
        self.statements(5);
        self.settle(height);
        self.push_small(1);
        self.op(op::SWAP1);
        self.op(op::SUB);
        self.op(op::DUP1);
        if self.rng.one_in(4) {
            self.op(op::ISZERO);
            self.op(op::ISZERO);
        }
        self.jump_if(again);
        self.reserved.pop();
        self.floor = before;
        if self.rng.one_in(2) {
            self.op(op::POP);
        }
    }

    /// A jump over something, or between blocks that pass the stack on.
    pub(super) fn hop(&mut self) {
        let there = self.asm.label();
        match self.rng.below(4) {
            // A border that is only fallen through.
            0 => {}
            // The target waits on the stack while other things happen.
            1 => self.hop_later(there),
            _ => {
                self.jump(there);
                let junk = self.rng.below(6);
                let junk = self.rng.bytes(junk);
                self.asm.bytes(&junk);
                // Data must not swallow the target.
                self.asm.bytes(&[0; 33]);
            }
        }
        self.land(there);
    }

    fn hop_later(&mut self, there: Label) {
        let floor = self.floor;
        self.push_label(there);
        self.reserved.push(self.height - 1);
        self.floor = self.height;
        let height = self.height;
        self.statements(3);
        self.settle(height);
        self.reserved.pop();
        self.floor = floor;
        self.op(op::JUMP);
    }

    pub(super) fn call_function(&mut self) {
        let callable = self.functions.get(self.callable..).unwrap_or_default();
        if callable.is_empty() {
            return self.shuffle();
        }
        let function = self.rng.pick(callable);
        let back = self.asm.label();
        self.push_label(back);
        for _ in 0..function.arguments {
            self.operand();
        }
        self.jump(function.label);
        self.height = self.height - function.arguments - 1 + function.results;
        self.land(back);
    }

    /// The body of a function: below the arguments lies where to return to.
    pub(super) fn function(&mut self, index: usize) {
        let function = self.functions[index];
        // Recursion is rare: it ends with the gas.
        self.callable = if self.rng.one_in(60) {
            index
        } else {
            index + 1
        };
        self.height = 1 + function.arguments;
        self.floor = 1;
        self.reserved = vec![0];
        self.budget = self.rng.between(1, 6) as usize;
        self.asm.bind(function.label);
        self.asm.byte(op::JUMPDEST);
        while self.budget > 0 {
            self.statement();
        }
        self.settle(1 + function.results);
        self.reserved.clear();
        if function.results > 0 {
            self.op(op::SWAP1 + function.results as u8 - 1);
        }
        self.op(op::JUMP);
    }

    /// The end of the program.
    pub(super) fn end(&mut self) {
        if self.purpose == Purpose::Init {
            return self.end_init();
        }
        match self.rng.below(16) {
            0..=10 => self.show(op::RETURN),
            11 | 12 => self.show(op::REVERT),
            // Off the end of the code, or into whatever stands there.
            13 => {}
            _ => self.stop(),
        }
    }

    /// Returns what the program computed.
    fn show(&mut self, byte: u8) {
        self.op(op::MSIZE);
        self.op(op::GAS);
        let items = (self.height - self.floor.min(self.height)).min(12);
        self.sink(items);
        self.push_small(32 * items);
        self.push_small(0);
        self.op(byte);
    }

    /// Any way to end a frame.
    pub(super) fn stop(&mut self) {
        match self.rng.below(12) {
            0..=3 => self.op(op::STOP),
            4..=9 => {
                self.len();
                self.offset();
                let byte = self.rng.pick(&[op::RETURN, op::REVERT]);
                self.op(byte);
            }
            10 => self.op(op::INVALID),
            _ => {
                self.somebody();
                self.op(op::SELFDESTRUCT);
            }
        }
    }
}
