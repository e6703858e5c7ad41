//! The hook for those who want to watch: what a tracer is told.
//!
//! With [`NoTracer`] none of it exists in the compiled code. A tracer that asks for steps makes the
//! machine prepare code instruction by instruction, so that gas and stack are exact between any two.

use alloy_primitives::{Address, Log, U256};

use crate::{
    Journal, Status, code::Op, frame::Frame, instructions::storage, interpreter::World,
    journal::SlotAccess, opcode,
};

/// Watches a run. Every method does nothing unless it is written.
pub trait Tracer {
    /// Whether [`Tracer::step`] is wanted: it slows down the run.
    const STEPS: bool;

    /// An instruction is about to run.
    fn step(&mut self, step: &Step<'_>) {
        let _ = step;
    }

    /// A call or creation begins, also one that fails at once or runs no code.
    fn enter(&mut self, enter: &Enter<'_>) {
        let _ = enter;
    }

    /// The last one that began has ended.
    fn exit(&mut self, exit: &Exited<'_>) {
        let _ = exit;
    }

    /// A contract gives its balance away by SELFDESTRUCT.
    fn self_destruct(&mut self, contract: Address, heir: Address, balance: U256) {
        let _ = (contract, heir, balance);
    }

    /// A contract wrote a log, `index` logs after the first of the transaction. A revert may still undo it.
    fn log(&mut self, log: &Log, index: usize) {
        let _ = (log, index);
    }

    /// Whether there is nothing more to see: every frame then fails at its next instruction, and the outcome means
    /// nothing. Asked after each step.
    fn is_stopped(&self) -> bool {
        false
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTracer;

impl Tracer for NoTracer {
    const STEPS: bool = false;
}

impl<T: Tracer> Tracer for &mut T {
    const STEPS: bool = T::STEPS;

    fn step(&mut self, step: &Step<'_>) {
        (**self).step(step);
    }

    fn enter(&mut self, enter: &Enter<'_>) {
        (**self).enter(enter);
    }

    fn exit(&mut self, exit: &Exited<'_>) {
        (**self).exit(exit);
    }

    fn self_destruct(&mut self, contract: Address, heir: Address, balance: U256) {
        (**self).self_destruct(contract, heir, balance);
    }

    fn log(&mut self, log: &Log, index: usize) {
        (**self).log(log, index);
    }

    fn is_stopped(&self) -> bool {
        (**self).is_stopped()
    }
}

/// The machine before an instruction.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Where it stands in the code.
    pub pc: u64,
    /// Its byte; that of STOP behind the end of the code.
    pub opcode: u8,
    /// Gas left before it.
    pub gas: u64,
    /// How deep the frame is nested, from 1.
    pub depth: usize,
    /// The stack, its top last.
    pub stack: &'a [U256],
    /// The memory.
    pub memory: &'a [u8],
    /// Output of the last call.
    pub return_data: &'a [u8],
    /// Whose storage the code works on.
    pub address: Address,
    /// The refund counter.
    pub refund: i64,
    /// Whether the state must not be changed (EIP-214).
    pub is_static: bool,
    /// Accounts and slots as the transaction has read and changed them so far.
    pub journal: &'a Journal,
}

impl<'a> Step<'a> {
    pub(crate) fn new<S: ?Sized>(
        frame: &'a Frame,
        world: &'a World<'_, S>,
        block: &Op,
        gas: u64,
    ) -> Self {
        Self {
            pc: block.imm >> 32,
            opcode: block.dst as u8,
            gas,
            depth: world.depth,
            stack: frame.items(),
            memory: frame.memory.as_slice(),
            return_data: world.return_data,
            address: frame.address,
            refund: world.journal.refund(),
            is_static: frame.is_static,
            journal: world.journal,
        }
    }

    /// The table's name of the instruction.
    pub fn name(&self) -> std::borrow::Cow<'static, str> {
        opcode::name(self.opcode)
    }
}

/// What SSTORE of `value` costs, and what it adds to the refund counter, for tracers that have to know it in advance.
pub fn store_gas(access: &SlotAccess, value: U256) -> (u64, i64) {
    (
        storage::price(access, value),
        storage::refund(access, value),
    )
}

/// How a frame came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A transaction's call, or CALL.
    Call,
    /// CALLCODE.
    CallCode,
    /// DELEGATECALL.
    DelegateCall,
    /// STATICCALL.
    StaticCall,
    /// A transaction's creation, or CREATE.
    Create,
    /// CREATE2.
    Create2,
}

impl FrameKind {
    /// The instruction's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Call => "CALL",
            Self::CallCode => "CALLCODE",
            Self::DelegateCall => "DELEGATECALL",
            Self::StaticCall => "STATICCALL",
            Self::Create => "CREATE",
            Self::Create2 => "CREATE2",
        }
    }

    /// Whether it makes a contract.
    pub fn is_creation(self) -> bool {
        matches!(self, Self::Create | Self::Create2)
    }
}

/// A call or creation that begins.
#[derive(Clone, Copy, Debug)]
pub struct Enter<'a> {
    /// What began it.
    pub kind: FrameKind,
    /// Whose code made it; the sender of the transaction for the outermost one.
    pub from: Address,
    /// Whose code it runs, or the new contract.
    pub to: Address,
    /// Wei that come with it. What DELEGATECALL inherits is not moved.
    pub value: U256,
    /// Gas it may use, the stipend included.
    pub gas: u64,
    /// Gas that the caller keeps meanwhile; 0 for the outermost one.
    pub caller_gas: u64,
    /// Calldata or init code.
    pub input: &'a [u8],
    /// Whether there is a precompile rather than code.
    pub is_precompile: bool,
}

/// The end of a call or creation.
#[derive(Clone, Copy, Debug)]
pub struct Exited<'a> {
    /// How it ended.
    pub status: Status,
    /// Gas it used.
    pub gas_used: u64,
    /// What it returned; of a creation the code.
    pub output: &'a [u8],
}
