//! What all tracers have in common: what they are told, and where they write.

use alloy_primitives::{Address, Log, TxKind, U256};
use cairn_vm::trace::{Enter, Exited, Step};
use cairn_vm::{CallRequest, Outcome, TxEnv};

use super::base::Base;
use super::config::Kind;
use super::fault::Fault;
use super::output::Output;
use super::price::Priced;
use super::{call_tracer, four_byte, prestate, struct_logger};
use crate::store::StoreError;

/// Where a tracer works.
pub struct Scene<'a> {
    /// The state before the transaction.
    pub base: Base<'a>,
    /// Where the trace goes.
    pub output: Output,
    /// The instruction that was begun last, if it belongs to the frame that runs.
    pub last: Last,
}

/// An instruction that was begun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Last {
    /// Why it does not run.
    pub fault: Option<Fault>,
    /// If it was a RETURN that runs: how many bytes it returns, and the gas that is left then.
    pub returned: Option<(u64, u64)>,
}

/// What is traced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Who sends it.
    pub sender: Address,
    /// To whom.
    pub to: TxKind,
    /// All the gas it may use.
    pub gas_limit: u64,
    /// Who delegates in it (EIP-7702).
    pub authorities: Vec<Address>,
    /// Who mined the block.
    pub beneficiary: Address,
    /// Logs before it in its block.
    pub logs_before: usize,
}

/// A tracer. It is told what its methods say, and ignores what it does not care for.
pub trait Recorder {
    /// An instruction is about to run, or to fail.
    fn step(
        &mut self,
        scene: &mut Scene<'_>,
        step: &Step<'_>,
        priced: &Priced,
    ) -> Result<(), StoreError> {
        let _ = (scene, step, priced);
        Ok(())
    }

    /// A frame begins.
    fn enter(&mut self, scene: &mut Scene<'_>, enter: &Enter<'_>) -> Result<(), StoreError> {
        let _ = (scene, enter);
        Ok(())
    }

    /// The frame that began last has ended.
    fn exit(&mut self, scene: &mut Scene<'_>, exit: &Exited<'_>) {
        let _ = (scene, exit);
    }

    /// A contract gives all it has away.
    fn self_destruct(
        &mut self,
        scene: &mut Scene<'_>,
        contract: Address,
        heir: Address,
        balance: U256,
    ) {
        let _ = (scene, contract, heir, balance);
    }

    /// A log was written.
    fn log(&mut self, scene: &mut Scene<'_>, log: &Log, index: usize) {
        let _ = (scene, log, index);
    }

    /// Writes the trace.
    fn finish(self: Box<Self>, scene: &mut Scene<'_>, outcome: &Outcome) -> Result<(), StoreError>;
}

/// A new tracer for `subject`.
pub fn recorder(
    kind: Kind,
    subject: &Subject,
    scene: &Scene<'_>,
) -> Result<Box<dyn Recorder>, StoreError> {
    Ok(match kind {
        Kind::Struct(options) => Box::new(struct_logger::StructLogger::new(options, scene)),
        Kind::Call(options) => Box::new(call_tracer::CallTracer::new(options, subject)),
        Kind::Prestate(options) => Box::new(prestate::Prestate::new(options, subject, scene)?),
        Kind::FourByte => Box::new(four_byte::FourByte::default()),
        Kind::Noop => Box::new(Noop),
    })
}

/// `noopTracer`.
struct Noop;

impl Recorder for Noop {
    fn finish(self: Box<Self>, scene: &mut Scene<'_>, _: &Outcome) -> Result<(), StoreError> {
        scene.output.push("{}");
        Ok(())
    }
}

impl Subject {
    /// A transaction in a block of `beneficiary`, after `logs_before` logs.
    pub fn transaction(tx: &TxEnv, beneficiary: Address, logs_before: usize) -> Self {
        let authorities = tx.authorizations.iter();
        Self {
            sender: tx.sender,
            to: tx.to,
            gas_limit: tx.gas_limit,
            authorities: authorities.filter_map(|entry| entry.authority).collect(),
            beneficiary,
            logs_before,
        }
    }

    /// The same for a call.
    pub fn call(call: &CallRequest, beneficiary: Address, logs_before: usize) -> Self {
        let authorities = call.authorizations.iter();
        Self {
            sender: call.sender,
            to: call.to,
            gas_limit: call.gas_limit,
            authorities: authorities.filter_map(|entry| entry.authority).collect(),
            beneficiary,
            logs_before,
        }
    }
}
