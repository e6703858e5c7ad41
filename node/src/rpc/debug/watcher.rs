//! Between the machine and a tracer: prices every instruction, and stops what takes too long.

use std::time::Instant;

use alloy_primitives::{Address, Log, U256};
use cairn_vm::opcode;
use cairn_vm::trace::{Enter, Exited, Step, Tracer};

use super::base::item;
use super::output::too_large;
use super::price::{Priced, price};
use super::recorder::{Last, Recorder, Scene};
use crate::rpc::error::RpcError;
use crate::store::StoreError;

/// Instructions between two looks at the clock: some tens of microseconds, unless they move much memory.
const STEPS_PER_LOOK: u32 = 1024;

/// Watches one run for `recorder`.
pub struct Watcher<'r, 'a> {
    scene: Scene<'a>,
    recorder: &'r mut dyn Recorder,
    deadline: Instant,
    steps: u32,
    stopped: Option<RpcError>,
}

impl<'r, 'a> Watcher<'r, 'a> {
    /// Watches until `deadline`.
    pub fn new(scene: Scene<'a>, recorder: &'r mut dyn Recorder, deadline: Instant) -> Self {
        Self {
            scene,
            recorder,
            deadline,
            steps: 0,
            stopped: None,
        }
    }

    /// Where the tracer goes on to work after the run.
    ///
    /// # Errors
    /// Why the run was stopped.
    pub fn end(self) -> Result<Scene<'a>, RpcError> {
        match self.stopped {
            Some(error) => Err(error),
            None => Ok(self.scene),
        }
    }

    fn stop(&mut self, error: RpcError) {
        self.stopped.get_or_insert(error);
    }

    fn check(&mut self, result: Result<(), StoreError>) {
        if let Err(error) = result {
            self.stop(error.into());
        }
        if self.scene.output.is_full() {
            self.stop(too_large());
        }
    }

    fn look_at_the_clock(&mut self) {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(STEPS_PER_LOOK) && Instant::now() >= self.deadline {
            self.stop(timed_out());
        }
    }

    fn priced_step(&mut self, step: &Step<'_>) -> Result<(), StoreError> {
        let priced = price(step, self.scene.base)?;
        self.scene.last = Last {
            fault: priced.fault,
            returned: returned(step, &priced),
        };
        self.recorder.step(&mut self.scene, step, &priced)
    }
}

/// The error for a trace that takes too long, in geth's words.
pub fn timed_out() -> RpcError {
    RpcError::refused("execution timeout")
}

fn returned(step: &Step<'_>, priced: &Priced) -> Option<(u64, u64)> {
    let runs = step.opcode == opcode::RETURN && priced.fault.is_none();
    runs.then(|| {
        (
            item(step, 1).saturating_to(),
            step.gas.saturating_sub(priced.cost),
        )
    })
}

impl Tracer for Watcher<'_, '_> {
    /// Also for tracers that ignore instructions: only with them the rule that a frame broke is
    /// the first one that it broke.
    const STEPS: bool = true;

    fn step(&mut self, step: &Step<'_>) {
        self.look_at_the_clock();
        if self.stopped.is_none() {
            let result = self.priced_step(step);
            self.check(result);
        }
    }

    fn enter(&mut self, enter: &Enter<'_>) {
        self.scene.last = Last::default();
        if self.stopped.is_none() {
            let result = self.recorder.enter(&mut self.scene, enter);
            self.check(result);
        }
    }

    fn exit(&mut self, exit: &Exited<'_>) {
        if self.stopped.is_none() {
            self.recorder.exit(&mut self.scene, exit);
            self.check(Ok(()));
        }
        self.scene.last = Last::default();
    }

    fn self_destruct(&mut self, contract: Address, heir: Address, balance: U256) {
        if self.stopped.is_none() {
            self.recorder
                .self_destruct(&mut self.scene, contract, heir, balance);
            self.check(Ok(()));
        }
    }

    fn log(&mut self, log: &Log, index: usize) {
        if self.stopped.is_none() {
            self.recorder.log(&mut self.scene, log, index);
            self.check(Ok(()));
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }
}
