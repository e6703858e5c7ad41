//! One request that traces: its tracer, its machine, its time and its room.

use std::time::Instant;

use cairn_vm::{BlockEnv, CallRequest, Machine, Outcome, State, TransactError, TxEnv};
use jsonrpsee::core::JsonRawValue;

use super::base::Base;
use super::config::{Kind, TraceConfig};
use super::output::Output;
use super::recorder::{Last, Scene, Subject, recorder};
use super::watcher::{Watcher, timed_out};
use crate::chain::Replay;
use crate::rpc::error::RpcError;
use crate::rpc::eth;
use crate::rpc::machines::{Lent, Machines};
use crate::store::StoreError;

/// The parts that all runs of a request share.
pub struct Session<'a> {
    machine: Lent<'a>,
    kind: Kind,
    deadline: Instant,
    output: Output,
}

impl<'a> Session<'a> {
    /// Begins now.
    ///
    /// # Errors
    /// If what is asked for does not exist.
    pub fn new(machines: &'a Machines, config: &TraceConfig) -> Result<Self, RpcError> {
        Ok(Self {
            machine: machines.take(),
            kind: config.kind()?,
            deadline: config.deadline(Instant::now())?,
            output: Output::default(),
        })
    }

    /// Executes a transaction that nobody asks about.
    ///
    /// # Errors
    /// If it cannot be executed, or time is up.
    pub fn skip(
        &mut self,
        replay: &mut Replay<'_>,
        env: &BlockEnv,
        tx: &TxEnv,
    ) -> Result<(), RpcError> {
        self.check_time()?;
        let outcome = self.machine.transact(&*replay, env, tx);
        let outcome = outcome.map_err(contradiction)?;
        replay.apply(outcome.diff, outcome.logs.len());
        Ok(())
    }

    /// Executes a transaction, and writes its trace.
    ///
    /// # Errors
    /// If it cannot be executed, time is up, or there is no room.
    pub fn transaction(
        &mut self,
        replay: &mut Replay<'_>,
        env: &BlockEnv,
        tx: &TxEnv,
    ) -> Result<(), RpcError> {
        let subject = Subject::transaction(tx, env.beneficiary, replay.logs());
        let run = |machine: &mut Machine, state: &Replay<'_>, watcher: &mut Watcher<'_, '_>| {
            machine.transact_traced(state, env, tx, watcher)
        };
        let outcome = self.watch(&*replay, &subject, run, contradiction)?;
        replay.apply(outcome.diff, outcome.logs.len());
        Ok(())
    }

    /// Runs a call after `logs_before` logs of its block, and writes its trace.
    ///
    /// # Errors
    /// If it cannot begin, time is up, or there is no room.
    pub fn call<S>(
        &mut self,
        state: &S,
        env: &BlockEnv,
        call: &CallRequest,
        logs_before: usize,
    ) -> Result<(), RpcError>
    where
        S: State<Error = StoreError>,
    {
        let subject = Subject::call(call, env.beneficiary, logs_before);
        let run = |machine: &mut Machine, state: &S, watcher: &mut Watcher<'_, '_>| {
            machine.call_traced(state, env, call, watcher)
        };
        self.watch(state, &subject, run, eth::refused)?;
        Ok(())
    }

    fn watch<S>(
        &mut self,
        state: &S,
        subject: &Subject,
        run: impl FnOnce(
            &mut Machine,
            &S,
            &mut Watcher<'_, '_>,
        ) -> Result<Outcome, TransactError<StoreError>>,
        refused: impl FnOnce(TransactError<StoreError>) -> RpcError,
    ) -> Result<Outcome, RpcError>
    where
        S: State<Error = StoreError>,
    {
        self.check_time()?;
        let scene = Scene {
            base: Base(state),
            output: std::mem::take(&mut self.output),
            last: Last::default(),
        };
        let mut recorder = recorder(self.kind, subject, &scene)?;
        let mut watcher = Watcher::new(scene, &mut *recorder, self.deadline);
        let ran = run(&mut self.machine, state, &mut watcher);
        let mut scene = watcher.end()?;
        let outcome = ran.map_err(refused)?;
        recorder.finish(&mut scene, &outcome)?;
        self.output = scene.output;
        Ok(outcome)
    }

    /// Writes what stands between traces.
    pub fn push(&mut self, json: &str) {
        self.output.push(json);
    }

    /// The answer.
    ///
    /// # Errors
    /// If it is too long.
    pub fn finish(self) -> Result<Box<JsonRawValue>, RpcError> {
        self.output.finish()
    }

    fn check_time(&self) -> Result<(), RpcError> {
        match Instant::now() >= self.deadline {
            true => Err(timed_out()),
            false => Ok(()),
        }
    }
}

/// A transaction of a stored block was executed once already.
fn contradiction(error: TransactError<StoreError>) -> RpcError {
    match error {
        TransactError::State(error) => error.into(),
        TransactError::Invalid(reason) => RpcError::Internal(format!(
            "a transaction of a stored block cannot be executed again: {reason}"
        )),
    }
}
