//! A basic block that was followed: its operations and its end, on named values.

use super::{OpKind, meaning};

/// Operations in one block at the most. It keeps the places of results within the window that one
/// operation can name.
pub(super) const MAX_OPERATIONS: usize = 400;

/// Items below the start that a block may name. Those of a longer block would not fit that window either.
pub(super) const MAX_NEED: usize = 1000;

/// The block that follows another one without a jump.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    pub pc: usize,
    /// Whether it runs whenever the one before it has run.
    pub is_certain: bool,
}

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

impl Block {
    /// What follows it.
    pub fn next(&self) -> Option<Next> {
        self.end.falls_through.then_some(Next {
            pc: self.next_pc,
            is_certain: self.end.code == OpKind::Fall,
        })
    }
}

impl Operation {
    /// Whether nobody would miss it.
    pub fn is_dead(&self) -> bool {
        self.has_result && self.uses == 0 && meaning::is_pure(self.code)
    }
}
