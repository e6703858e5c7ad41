//! A frame: one run of code, from its call to its return.

use alloy_primitives::{Address, U256};

use crate::{
    Halt, Status,
    code::ENTRY,
    journal::{AccountId, Checkpoint},
    memory::{Memory, Range},
};

/// Slots of a frame's stack array: 1,024 items, and as much again for results on their way.
pub(crate) const SLOTS: usize = 2048;

/// A frame that runs, or waits for a call that it made.
#[derive(Debug)]
pub(crate) struct Frame {
    pub stack: Box<[U256; SLOTS]>,
    pub memory: Memory,
    /// Where in the caller's memory the calldata lies: it cannot change while this frame runs. For the outermost
    /// frame, where in the input of the transaction; empty for a creation.
    pub input: Range,
    /// Which program runs.
    pub program: usize,
    /// The next operation.
    pub next_op: usize,
    /// Height of the stack.
    pub height: usize,
    pub gas: u64,
    /// Gas at its start.
    pub gas_limit: u64,
    /// Whose storage and balance the code works on.
    pub contract: AccountId,
    pub address: Address,
    pub caller: Address,
    pub value: U256,
    pub is_static: bool,
    /// What a failure takes back.
    pub checkpoint: Checkpoint,
    /// What becomes of the output.
    pub kind: Kind,
}

/// Why a frame runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A call; the output goes to this range of the caller's memory.
    Call(Range),
    /// A creation; the output becomes code.
    Create,
}

/// How a frame ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameEnd {
    pub status: Status,
    /// Gas returned to the caller; none after a halt.
    pub gas_left: u64,
}

impl FrameEnd {
    /// It did what it should.
    pub fn success(gas_left: u64) -> Self {
        Self {
            status: Status::Success,
            gas_left,
        }
    }

    /// It broke a rule, and all its gas is gone.
    pub fn halt(halt: Halt) -> Self {
        Self {
            status: Status::Halt(halt),
            gas_left: 0,
        }
    }

    /// What fails before anything happens gives all gas back.
    pub fn refused(halt: Halt, gas_left: u64) -> Self {
        Self {
            status: Status::Halt(halt),
            gas_left,
        }
    }
}

impl Frame {
    /// An empty frame.
    pub fn new() -> Self {
        let stack = vec![U256::ZERO; SLOTS].into_boxed_slice();
        Self {
            stack: stack
                .try_into()
                .expect("the slice has the length of the array"),
            memory: Memory::default(),
            input: Range::default(),
            program: 0,
            next_op: 0,
            height: 0,
            gas: 0,
            gas_limit: 0,
            contract: AccountId::default(),
            address: Address::ZERO,
            caller: Address::ZERO,
            value: U256::ZERO,
            is_static: false,
            checkpoint: Checkpoint::default(),
            kind: Kind::Create,
        }
    }

    /// Makes it ready to run. What belongs to its call is set by the caller, and the first operation.
    pub fn begin(&mut self, gas: u64, checkpoint: Checkpoint, kind: Kind) {
        self.memory.reset();
        self.height = 0;
        self.gas = gas;
        self.gas_limit = gas;
        self.checkpoint = checkpoint;
        self.kind = kind;
    }

    /// The items of the stack, the top last. In order between blocks.
    pub fn items(&self) -> &[U256] {
        &self.stack[..self.height]
    }

    /// The `index`-th item from the top, from 0.
    pub fn peek(&self, index: usize) -> U256 {
        self.stack[self.height.wrapping_sub(1 + index) % SLOTS]
    }

    /// Takes `count` items off and puts one on.
    pub fn replace(&mut self, count: usize, value: U256) {
        self.height = (self.height + 1).wrapping_sub(count) % SLOTS;
        self.stack[self.height.wrapping_sub(1) % SLOTS] = value;
    }

    /// What is added to a place to find its slot (modulo [`SLOTS`]).
    pub fn base(&self) -> usize {
        self.height.wrapping_sub(usize::from(ENTRY))
    }
}
