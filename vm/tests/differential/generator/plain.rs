//! Statements that go straight on: arithmetic, stack, memory, storage, logs.

use alloy_primitives::U256;
use cairn_vm::opcode as op;

use super::{Builder, values};

/// Arithmetic, by operands.
const UNARY: [u8; 3] = [op::ISZERO, op::NOT, op::CLZ];
const BINARY: [u8; 22] = [
    op::ADD,
    op::MUL,
    op::SUB,
    op::DIV,
    op::SDIV,
    op::MOD,
    op::SMOD,
    op::EXP,
    op::SIGNEXTEND,
    op::LT,
    op::GT,
    op::SLT,
    op::SGT,
    op::EQ,
    op::AND,
    op::OR,
    op::XOR,
    op::BYTE,
    op::SHL,
    op::SHR,
    op::SAR,
    op::SUB,
];
const TERNARY: [u8; 2] = [op::ADDMOD, op::MULMOD];

/// Words that are just there.
const ENVIRONMENT: [u8; 20] = [
    op::ADDRESS,
    op::ORIGIN,
    op::CALLER,
    op::CALLVALUE,
    op::CALLDATASIZE,
    op::CODESIZE,
    op::GASPRICE,
    op::RETURNDATASIZE,
    op::COINBASE,
    op::TIMESTAMP,
    op::NUMBER,
    op::PREVRANDAO,
    op::GASLIMIT,
    op::CHAINID,
    op::SELFBALANCE,
    op::BASEFEE,
    op::BLOBBASEFEE,
    op::PC,
    op::MSIZE,
    op::GAS,
];

/// What is told about an account.
const ACCOUNT: [u8; 3] = [op::BALANCE, op::EXTCODESIZE, op::EXTCODEHASH];

impl Builder<'_> {
    pub(super) fn any_environment(&mut self) -> u8 {
        self.rng.pick(&ENVIRONMENT)
    }

    pub(super) fn arithmetic(&mut self) {
        let (byte, operands) = match self.rng.below(12) {
            0 | 1 => (self.rng.pick(&UNARY), 1),
            2 | 3 => (self.rng.pick(&TERNARY), 3),
            _ => (self.rng.pick(&BINARY), 2),
        };
        if self.rng.one_in(2) {
            for _ in 0..operands {
                self.operand();
            }
        }
        self.fill(operands);
        self.op(byte);
    }

    /// Several operations on what the ones before left.
    pub(super) fn expression(&mut self) {
        for _ in 0..self.rng.between(2, 8) {
            if self.rng.one_in(3) {
                self.shuffle_once();
            }
            let byte = self.rng.pick(&BINARY);
            self.fill(2);
            self.op(byte);
        }
    }

    pub(super) fn environment(&mut self) {
        match self.rng.below(8) {
            0 => {
                let offset = values::offset(self.rng);
                self.push(offset);
                self.op(op::CALLDATALOAD);
            }
            1 => {
                let back = self.rng.below(300);
                self.op(op::NUMBER);
                self.push_small(back);
                self.op(op::SWAP1);
                self.op(op::SUB);
                self.op(op::BLOCKHASH);
            }
            2 => {
                self.operand();
                let byte = self.rng.pick(&[op::BLOCKHASH, op::BLOBHASH]);
                self.op(byte);
            }
            3 => self.op(op::GAS),
            _ => {
                let byte = self.any_environment();
                self.op(byte);
            }
        }
    }

    /// A run of DUP, SWAP and POP.
    pub(super) fn shuffle(&mut self) {
        for _ in 0..self.rng.between(1, 12) {
            self.shuffle_once();
        }
    }

    fn shuffle_once(&mut self) {
        match self.rng.below(8) {
            0 | 1 if self.height > 0 => {
                let depth = 1 + self.rng.below(self.height.min(16));
                self.dup(depth);
            }
            2 if self.height > self.floor => self.op(op::POP),
            3..=6 => self.swap(),
            _ => self.operand(),
        }
    }

    /// Swaps the top with something that may be moved.
    pub(super) fn swap(&mut self) {
        if self.height < 2 {
            return self.operand();
        }
        let depth = 1 + self.rng.below((self.height - 1).min(16));
        let top = self.height - 1;
        if self.reserved.contains(&top) || self.reserved.contains(&(top - depth)) {
            return self.operand();
        }
        self.op(op::SWAP1 + depth as u8 - 1);
    }

    /// Pushes where in memory: a number, or what is on the stack cut to a small one.
    pub(super) fn offset(&mut self) {
        if self.rng.one_in(6) && self.height > 0 {
            let depth = 1 + self.rng.below(self.height.min(16));
            self.dup(depth);
            self.push_small(0xff);
            return self.op(op::AND);
        }
        let offset = values::offset(self.rng);
        self.push(offset);
    }

    /// Pushes how much of memory.
    pub(super) fn len(&mut self) {
        let len = values::len(self.rng);
        self.push(len);
    }

    pub(super) fn memory(&mut self) {
        match self.rng.below(8) {
            0..=3 => {
                self.fill(1);
                self.offset();
                self.op(op::MSTORE);
            }
            4 => {
                self.fill(1);
                self.offset();
                self.op(op::MSTORE8);
            }
            5 => self.op(op::MSIZE),
            _ => {
                self.offset();
                self.op(op::MLOAD);
            }
        }
    }

    pub(super) fn copy(&mut self) {
        let byte = self.rng.pick(&[
            op::CALLDATACOPY,
            op::CODECOPY,
            op::MCOPY,
            op::MCOPY,
            op::RETURNDATACOPY,
            op::EXTCODECOPY,
        ]);
        if byte == op::RETURNDATACOPY && !self.rng.one_in(12) {
            self.op(op::RETURNDATASIZE);
            self.push_small(0);
        } else {
            self.len();
            self.offset();
        }
        self.offset();
        if byte == op::EXTCODECOPY {
            let address = values::address(self.rng);
            self.push(values::of(address));
        }
        self.op(byte);
    }

    pub(super) fn keccak(&mut self) {
        if self.rng.one_in(2) {
            // A mapping's entry, as compilers find it.
            self.fill(1);
            for offset in [0, 32] {
                if self.rng.one_in(2) {
                    let key = self.rng.below(3);
                    self.push_small(key);
                } else {
                    self.op(op::CALLER);
                }
                self.push_small(offset);
                self.op(op::MSTORE);
            }
            self.push_small(64);
            self.push_small(0);
        } else {
            self.len();
            self.offset();
        }
        self.op(op::KECCAK256);
    }

    pub(super) fn storage(&mut self) {
        let slot = values::slot(self.rng);
        if self.rng.one_in(3) {
            self.push(slot);
            return self.op(op::SLOAD);
        }
        for _ in 0..self.rng.pick(&[1, 1, 1, 2, 3]) {
            if self.rng.one_in(3) {
                self.fill(1);
            } else {
                let value = values::slot_value(self.rng);
                self.push(value);
            }
            self.push(slot);
            self.op(op::SSTORE);
        }
    }

    pub(super) fn transient(&mut self) {
        let slot = values::slot(self.rng);
        if self.rng.one_in(2) {
            self.push(slot);
            return self.op(op::TLOAD);
        }
        self.fill(1);
        self.push(slot);
        self.op(op::TSTORE);
    }

    pub(super) fn log(&mut self) {
        let topics = self.rng.below(5);
        self.fill(topics);
        self.len();
        self.offset();
        self.op(op::LOG0 + topics as u8);
    }

    pub(super) fn account(&mut self) {
        if self.rng.one_in(3) {
            self.fill(1);
        } else {
            let address = values::address(self.rng);
            self.push(values::of(address));
        }
        let byte = self.rng.pick(&ACCOUNT);
        self.op(byte);
    }

    /// More operations in a row than one block may have.
    pub(super) fn long(&mut self) {
        let style = self.rng.below(6);
        // Logs make a block with much static gas, up to more than sixteen bits of it.
        let count = if style == 5 {
            self.rng.between(5, 40)
        } else {
            self.rng.between(380, 700)
        };
        self.fill(2);
        for _ in 0..count {
            match style {
                0 => {
                    self.op(op::DUP2);
                    self.op(op::ADD);
                }
                1 if self.height < 1_000 => self.op(op::GAS),
                2 => self.op(op::NOT),
                3 => {
                    self.op(op::DUP1);
                    self.push_small(0);
                    self.op(op::MSTORE);
                }
                4 => self.expression_step(),
                _ => self.log_step(),
            }
        }
        self.budget = self.budget.saturating_sub(10);
    }

    fn log_step(&mut self) {
        let topics = self.rng.pick(&[0, 4, 4, 4]);
        for _ in 0..topics + 2 {
            let byte = self
                .rng
                .pick(&[op::PUSH0, op::CALLVALUE, op::RETURNDATASIZE]);
            self.op(byte);
        }
        self.op(op::LOG0 + topics);
    }

    fn expression_step(&mut self) {
        self.swap();
        self.fill(2);
        let byte = self
            .rng
            .pick(&[op::ADD, op::SUB, op::XOR, op::MUL, op::LT, op::SHL]);
        self.op(byte);
    }

    /// Writes the top `items` of the stack into memory.
    pub(super) fn sink(&mut self, items: usize) {
        for index in 0..items {
            self.push(U256::from(32 * index));
            self.op(op::MSTORE);
        }
    }
}
