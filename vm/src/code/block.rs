//! Follows one basic block symbolically.
//!
//! The stack holds names of values in place of values: an item that was there before, a constant, or
//! the result of an operation. PUSH, POP, DUP and SWAP only rearrange names.

use alloy_primitives::U256;

use super::{Granularity, OpKind, Program};
use crate::{opcode, word};

/// Operations in one block at the most. It keeps the places of results within the window that one
/// operation can name.
const MAX_OPERATIONS: usize = 400;

/// Items below the start that a block may name. Those of a longer block would not fit that window either.
const MAX_NEED: usize = 1000;

/// A value by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// The n-th item from the top of the stack as the block found it, from 1.
    Entry(u16),
    /// The place of a constant.
    Constant(u16),
    /// What the operation of this index computes.
    Result(u16),
}

/// An operation whose operands have names, not yet places.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub code: OpKind,
    pub operands: Operands,
    pub has_result: bool,
    /// How often its result is needed.
    pub uses: u32,
    /// Static gas of the block until behind it, for operations that look at the gas; else a number.
    pub imm: u64,
}

/// Up to six operands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operands {
    values: [Value; 6],
    len: u8,
}

impl Operands {
    pub fn new(values: &[Value]) -> Self {
        let mut all = [Value::Constant(0); 6];
        all[..values.len()].copy_from_slice(values);
        Self {
            values: all,
            len: values.len() as u8,
        }
    }

    pub fn as_slice(&self) -> &[Value] {
        &self.values[..usize::from(self.len)]
    }
}

/// How a block ends.
#[derive(Clone, Debug)]
pub(super) struct End {
    pub code: OpKind,
    pub operands: Operands,
    pub imm: u64,
    /// Whether there is a stack for somebody behind the block.
    pub keeps_stack: bool,
    /// Whether the following instruction starts a block that can be reached from this one.
    pub falls_through: bool,
}

/// A block that was followed to its end.
#[derive(Debug)]
pub(super) struct Block {
    pub pc: usize,
    /// The instruction after it.
    pub next_pc: usize,
    pub gas: u64,
    /// Items that it takes from the stack or looks at.
    pub need: usize,
    /// How much higher than at its start the stack may become.
    pub growth: usize,
    pub operations: Vec<Operation>,
    /// The stack at its end, without what lies below `need`.
    pub stack: Vec<Value>,
    pub end: End,
}

/// What follows a block.
pub(super) struct Follower<'a> {
    program: &'a mut Program,
    block: Block,
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
        self.program.granularity == Granularity::Instruction
            || block.operations.len() >= MAX_OPERATIONS
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
            op::PUSH0..=op::PUSH32 => {
                let value = self.immediate(pc, usize::from(byte - op::PUSH0));
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
            op::BLOBBASEFEE
            | op::ADDRESS
            | op::ORIGIN
            | op::CALLER
            | op::CALLVALUE
            | op::GASPRICE
            | op::COINBASE..=op::CHAINID
            | op::BASEFEE => {
                self.operation(OpKind::Environment, &[], true, u64::from(byte));
            }
            op::BLOBHASH => {
                // Cairn has no blobs.
                self.pop();
                self.push_constant(U256::ZERO);
            }
            _ => return self.computation(byte) || self.ending(byte),
        }
        false
    }

    /// The operand in the code; bytes beyond the end of the code are zeros.
    fn immediate(&self, pc: usize, len: usize) -> U256 {
        let code = &self.program.code;
        let start = (pc + 1).min(code.len());
        let bytes = &code[start..(start + len).min(code.len())];
        let mut word = [0; 32];
        word[32 - len..32 - len + bytes.len()].copy_from_slice(bytes);
        U256::from_be_bytes(word)
    }

    /// Instructions that compute; false, since they end no block. Those that do end one are left to
    /// [`Self::ending`].
    fn computation(&mut self, byte: u8) -> bool {
        use opcode as op;
        let (code, has_result) = match byte {
            op::GT | op::SGT => {
                let top = self.block.stack.len() - 1;
                self.block.stack.swap(top, top - 1);
                (
                    if byte == op::GT {
                        OpKind::Lt
                    } else {
                        OpKind::Slt
                    },
                    true,
                )
            }
            op::SSTORE | op::GAS => {
                let code = if byte == op::GAS {
                    OpKind::Gas
                } else {
                    OpKind::SStore
                };
                (code, byte == op::GAS)
            }
            _ => match ordinary(byte) {
                Some(ordinary) => ordinary,
                None => return false,
            },
        };
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
        false
    }

    /// Instructions that end the block. What is none of them was a computation.
    fn ending(&mut self, byte: u8) -> bool {
        use opcode as op;
        match byte {
            op::STOP => self.finish(OpKind::Stop, &[], 0),
            op::JUMP => self.jump(),
            op::JUMPI => self.jump_if(),
            op::RETURN | op::REVERT | op::SELFDESTRUCT => {
                let code = match byte {
                    op::RETURN => OpKind::Return,
                    op::REVERT => OpKind::Revert,
                    _ => OpKind::SelfDestruct,
                };
                let operands = self.pop_operands(byte);
                self.finish(code, operands.as_slice(), 0);
            }
            op::CALL => self.call(OpKind::Call),
            op::CALLCODE => self.call(OpKind::CallCode),
            op::DELEGATECALL => self.call(OpKind::DelegateCall),
            op::STATICCALL => self.call(OpKind::StaticCall),
            op::CREATE => self.call(OpKind::Create),
            op::CREATE2 => self.call(OpKind::Create2),
            _ => return false,
        }
        true
    }

    fn pop(&mut self) -> Value {
        self.block
            .stack
            .pop()
            .expect("what an instruction takes was named before")
    }

    fn pop_operands(&mut self, byte: u8) -> Operands {
        let count = opcode::info(byte).map_or(0, |info| usize::from(info.inputs));
        let values: [Value; 6] = std::array::from_fn(|index| match index < count {
            true => self
                .block
                .stack
                .pop()
                .expect("what an instruction takes was named before"),
            false => Value::Constant(0),
        });
        Operands {
            values,
            len: count as u8,
        }
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
    fn known(&self, value: Value) -> Option<U256> {
        match value {
            Value::Constant(place) => self
                .program
                .constants
                .get(usize::from(place & !super::CONSTANT))
                .copied(),
            _ => None,
        }
    }

    /// The result of an operation on constants.
    fn folded(&self, code: OpKind, operands: &[Value]) -> Option<U256> {
        match *operands {
            [a] => unary(code, self.known(a)?),
            [a, b] => binary(code, self.known(a)?, self.known(b)?),
            _ => None,
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
    fn finish(&mut self, code: OpKind, operands: &[Value], imm: u64) {
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

    fn fall(&mut self) {
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
                word::saturated(pc) | super::UNRESOLVED,
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
                (code, operands, word::saturated(pc) | super::UNRESOLVED)
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
            if operation.uses != 1 || self.program.granularity == Granularity::Instruction {
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

impl Operation {
    /// Whether nobody would miss it.
    pub fn is_dead(&self) -> bool {
        self.has_result && self.uses == 0 && is_pure(self.code)
    }
}

/// Whether an operation has no effect but its result, and cannot fail.
fn is_pure(code: OpKind) -> bool {
    use OpKind::*;
    matches!(
        code,
        Add | Mul
            | Sub
            | Div
            | SDiv
            | Mod
            | SMod
            | SignExtend
            | Lt
            | Slt
            | Eq
            | And
            | Or
            | Xor
            | Byte
            | Shl
            | Shr
            | Sar
            | AddMod
            | MulMod
            | IsZero
            | Not
            | Clz
            | CallDataLoad
            | Environment
            | CallDataSize
            | ReturnDataSize
            | Gas
            | Literal
    )
}

/// Instructions that become one operation with the same operands: its code, and whether it has a result.
fn ordinary(byte: u8) -> Option<(OpKind, bool)> {
    use opcode as op;
    let code = match byte {
        op::ADD => OpKind::Add,
        op::MUL => OpKind::Mul,
        op::SUB => OpKind::Sub,
        op::DIV => OpKind::Div,
        op::SDIV => OpKind::SDiv,
        op::MOD => OpKind::Mod,
        op::SMOD => OpKind::SMod,
        op::ADDMOD => OpKind::AddMod,
        op::MULMOD => OpKind::MulMod,
        op::EXP => OpKind::Exp,
        op::SIGNEXTEND => OpKind::SignExtend,
        op::LT => OpKind::Lt,
        op::SLT => OpKind::Slt,
        op::EQ => OpKind::Eq,
        op::ISZERO => OpKind::IsZero,
        op::AND => OpKind::And,
        op::OR => OpKind::Or,
        op::XOR => OpKind::Xor,
        op::NOT => OpKind::Not,
        op::BYTE => OpKind::Byte,
        op::SHL => OpKind::Shl,
        op::SHR => OpKind::Shr,
        op::SAR => OpKind::Sar,
        op::CLZ => OpKind::Clz,
        op::KECCAK256 => OpKind::Keccak256,
        op::BALANCE => OpKind::Balance,
        op::CALLDATALOAD => OpKind::CallDataLoad,
        op::CALLDATASIZE => OpKind::CallDataSize,
        op::EXTCODESIZE => OpKind::ExtCodeSize,
        op::RETURNDATASIZE => OpKind::ReturnDataSize,
        op::EXTCODEHASH => OpKind::ExtCodeHash,
        op::BLOCKHASH => OpKind::BlockHash,
        op::SELFBALANCE => OpKind::SelfBalance,
        op::MLOAD => OpKind::MLoad,
        op::SLOAD => OpKind::SLoad,
        op::TLOAD => OpKind::TLoad,
        op::MSIZE => OpKind::MSize,
        _ => return without_result(byte).map(|code| (code, false)),
    };
    Some((code, true))
}

fn without_result(byte: u8) -> Option<OpKind> {
    use opcode as op;
    Some(match byte {
        op::CALLDATACOPY => OpKind::CallDataCopy,
        op::CODECOPY => OpKind::CodeCopy,
        op::EXTCODECOPY => OpKind::ExtCodeCopy,
        op::RETURNDATACOPY => OpKind::ReturnDataCopy,
        op::MCOPY => OpKind::MCopy,
        op::MSTORE => OpKind::MStore,
        op::MSTORE8 => OpKind::MStore8,
        op::TSTORE => OpKind::TStore,
        op::LOG0 => OpKind::Log0,
        op::LOG1 => OpKind::Log1,
        op::LOG2 => OpKind::Log2,
        op::LOG3 => OpKind::Log3,
        op::LOG4 => OpKind::Log4,
        _ => return None,
    })
}

fn unary(code: OpKind, a: U256) -> Option<U256> {
    Some(match code {
        OpKind::IsZero => word::flag(word::is_zero(a)),
        OpKind::Not => !a,
        OpKind::Clz => word::clz(a),
        _ => return None,
    })
}

fn binary(code: OpKind, a: U256, b: U256) -> Option<U256> {
    Some(match code {
        OpKind::Add => word::add(a, b),
        OpKind::Sub => word::sub(a, b),
        OpKind::Mul => word::mul(a, b),
        OpKind::And => a & b,
        OpKind::Or => a | b,
        OpKind::Xor => word::xor(a, b),
        OpKind::Lt => word::flag(word::lt(a, b)),
        OpKind::Slt => word::flag(word::slt(a, b)),
        OpKind::Eq => word::flag(word::eq(a, b)),
        OpKind::Byte => word::byte(a, b),
        OpKind::Shl => word::shl(a, b),
        OpKind::Shr => word::shr(a, b),
        OpKind::Sar => word::sar(a, b),
        OpKind::SignExtend => word::sign_extend(a, b),
        _ => return None,
    })
}
