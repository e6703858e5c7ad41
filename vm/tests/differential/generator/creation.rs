//! Statements that create contracts, and the end of init code.

use alloy_primitives::U256;
use cairn_vm::opcode as op;

use super::{Builder, Purpose, calls::Callee, nested, values};

/// Creations within creations within creations, and no further.
const MAX_INNER: usize = 2;

impl Builder<'_> {
    /// CREATE or CREATE2 of code that stands behind this one; then mostly a call to what came of it.
    pub(super) fn create(&mut self) {
        if self.inner >= MAX_INNER {
            return self.storage();
        }
        let budget = 1 + self.rng.below(8);
        let init = nested(self.rng, Purpose::Init, budget, self.inner + 1);
        let len = init.len();
        let at = self.rng.pick(&[0, 0, 32, 100]);
        self.load(init, at);
        let byte = self.rng.pick(&[op::CREATE, op::CREATE2]);
        if byte == op::CREATE2 {
            let salt = self.rng.below(3);
            self.push_small(salt);
        }
        let len = if self.rng.one_in(60) {
            self.rng.pick(&[0, 49_152, 49_153, len + 100])
        } else {
            len
        };
        self.push_small(len);
        self.push_small(at);
        let wei = if self.rng.one_in(3) {
            U256::from(1)
        } else {
            values::wei(self.rng)
        };
        self.push(wei);
        self.op(byte);
        self.meet();
    }

    /// Puts bytes into memory by way of the code.
    fn load(&mut self, bytes: Vec<u8>, at: usize) {
        self.push_small(bytes.len());
        let label = self.asm.data(bytes);
        self.push_label(label);
        self.push_small(at);
        self.op(op::CODECOPY);
    }

    /// What one does with a new contract. Its address is on the stack.
    fn meet(&mut self) {
        let position = self.height - 1;
        for _ in 0..self.rng.below(3) {
            if self.height - position > 16 {
                return;
            }
            if self.rng.one_in(3) {
                self.dup(self.height - position);
                let byte = self
                    .rng
                    .pick(&[op::BALANCE, op::EXTCODESIZE, op::EXTCODEHASH]);
                self.op(byte);
            } else {
                self.call_of(Callee::Item(position));
            }
        }
    }

    /// Init code ends by returning the contract's code; some does otherwise.
    pub(super) fn end_init(&mut self) {
        match self.rng.below(16) {
            0..=9 => {
                let budget = self.rng.below(10);
                let code = nested(self.rng, Purpose::Runtime(0), budget, self.inner + 1);
                let (len, at) = (code.len(), self.rng.pick(&[0, 0, 64]));
                self.load(code, at);
                self.push_small(len);
                self.push_small(at);
                self.op(op::RETURN);
            }
            10 => {
                // EIP-3541, EIP-170, and what is just allowed.
                let len = self.rng.pick(&[1, 23, 24_576, 24_577]);
                let first = self.rng.pick(&[0xef, 0xef, 0xfe, 0x00]);
                self.push_small(first);
                self.push_small(0);
                self.op(op::MSTORE8);
                self.push_small(len);
                self.push_small(0);
                self.op(op::RETURN);
            }
            11 => {}
            12 => {
                // EIP-6780: what burns at once, and what others see of it.
                self.op(op::ADDRESS);
                self.op(op::SELFDESTRUCT);
            }
            _ => self.stop(),
        }
    }
}
