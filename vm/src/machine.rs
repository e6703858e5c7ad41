//! The machine: composes the phases, and keeps what is reused between transactions.

use crate::{
    BlockEnv, CallRequest, IntrinsicGas, Outcome, Precompiles, State, TransactError, TxEnv,
    code::Translation,
    engine::{Engine, Run},
    interpreter::Env,
    phases::{Request, buy, pay, refund, refund::GasBill, run::Ran, validate},
    trace::{NoTracer, Tracer},
};

/// Executes transactions one after the other. Nothing carries over from one to the next but memory that
/// was allocated and code that was prepared, so any machine with the same precompiles gives the same outcome.
///
/// It has no globals and may be moved between threads; threads that work at once have one each.
#[derive(Debug)]
pub struct Machine {
    engine: Engine,
    /// The same for tracers that watch every instruction; made when the first one comes.
    stepped: Option<Box<Engine>>,
    precompiles: Precompiles,
}

impl Default for Machine {
    /// A machine without precompiles.
    fn default() -> Self {
        Self::new(Precompiles::default())
    }
}

impl Machine {
    /// A machine with these precompiles.
    pub fn new(precompiles: Precompiles) -> Self {
        Self::with(precompiles, Translation::Warming)
    }

    /// A machine that translates all code thoroughly, also what runs once only. It gives the same outcomes as any
    /// other, and is there to test just that.
    pub fn thorough(precompiles: Precompiles) -> Self {
        Self::with(precompiles, Translation::Thorough)
    }

    fn with(precompiles: Precompiles, translation: Translation) -> Self {
        Self {
            engine: Engine::new(precompiles.clone(), translation),
            stepped: None,
            precompiles,
        }
    }

    /// Drops prepared code if it takes more than `most_bytes`: for a machine that may rest long. A run leaves 64 MiB of
    /// it at most when the next one begins.
    pub fn trim(&mut self, most_bytes: usize) {
        self.engine.trim(most_bytes);
        if let Some(stepped) = &mut self.stepped {
            stepped.trim(most_bytes);
        }
    }

    /// Executes a transaction: validate, buy gas, run, refund, pay.
    ///
    /// The gas left in the block is the caller's matter: the machine refuses only what exceeds the
    /// block's whole gas limit.
    ///
    /// # Errors
    ///
    /// [`TransactError::Invalid`] names the broken rule: the transaction cannot be part of this block at
    /// this place. [`TransactError::State`] passes on a failure of `state`.
    pub fn transact<S>(
        &mut self,
        state: &S,
        block: &BlockEnv,
        tx: &TxEnv,
    ) -> Result<Outcome, TransactError<S::Error>>
    where
        S: State + ?Sized,
    {
        self.transact_traced(state, block, tx, &mut NoTracer)
    }

    /// As [`Machine::transact`], watched by `tracer`.
    ///
    /// # Errors
    ///
    /// As [`Machine::transact`].
    pub fn transact_traced<S, T>(
        &mut self,
        state: &S,
        block: &BlockEnv,
        tx: &TxEnv,
        tracer: &mut T,
    ) -> Result<Outcome, TransactError<S::Error>>
    where
        S: State + ?Sized,
        T: Tracer,
    {
        let request = Request::from(tx);
        let intrinsic = validate::request(&request)?;
        let price = validate::fees(block, tx)?;
        let engine = self.ready::<T>();
        let sender = validate::sender(&mut engine.journal, state, tx)?;
        buy::gas(&mut engine.journal, sender, tx.gas_limit, price);
        let env = Env {
            block,
            origin: tx.sender,
            gas_price: price,
        };
        let (ran, bill) =
            run(engine, state, env, &request, intrinsic, tracer).map_err(TransactError::State)?;
        pay::sender(&mut engine.journal, sender, tx.gas_limit, &bill, price);
        pay::beneficiary(&mut engine.journal, state, block, &bill, price)
            .map_err(TransactError::State)?;
        Ok(outcome(engine, ran, bill))
    }

    /// Runs a call without a signature: no rules for nonce and fees, no cap on gas, nothing bought or paid.
    /// `gas_used` and the diff are what they would be for a transaction with a gas price of zero.
    ///
    /// # Errors
    ///
    /// As [`Machine::transact`]; a call is invalid if its gas does not cover the intrinsic gas, the sender
    /// does not own the value, the init code is too long, or authorizations come with a creation.
    pub fn call<S>(
        &mut self,
        state: &S,
        block: &BlockEnv,
        call: &CallRequest,
    ) -> Result<Outcome, TransactError<S::Error>>
    where
        S: State + ?Sized,
    {
        self.call_traced(state, block, call, &mut NoTracer)
    }

    /// As [`Machine::call`], watched by `tracer`.
    ///
    /// # Errors
    ///
    /// As [`Machine::call`].
    pub fn call_traced<S, T>(
        &mut self,
        state: &S,
        block: &BlockEnv,
        call: &CallRequest,
        tracer: &mut T,
    ) -> Result<Outcome, TransactError<S::Error>>
    where
        S: State + ?Sized,
        T: Tracer,
    {
        let request = Request::from(call);
        let intrinsic = validate::request(&request)?;
        let engine = self.ready::<T>();
        validate::caller(&mut engine.journal, state, &request)?;
        let env = Env {
            block,
            origin: call.sender,
            gas_price: call.gas_price,
        };
        let (ran, bill) =
            run(engine, state, env, &request, intrinsic, tracer).map_err(TransactError::State)?;
        Ok(outcome(engine, ran, bill))
    }

    /// The engine that suits the tracer, ready for a run.
    fn ready<T: Tracer>(&mut self) -> &mut Engine {
        let engine = if T::STEPS {
            let new = || {
                Box::new(Engine::new(
                    self.precompiles.clone(),
                    Translation::ByInstruction,
                ))
            };
            self.stepped.get_or_insert_with(new)
        } else {
            &mut self.engine
        };
        engine.reset();
        engine
    }
}

/// Runs a request whose sender was validated, and settles its gas.
fn run<S, T>(
    engine: &mut Engine,
    state: &S,
    env: Env<'_>,
    request: &Request<'_>,
    intrinsic: IntrinsicGas,
    tracer: &mut T,
) -> Result<(Ran, GasBill), S::Error>
where
    S: State + ?Sized,
    T: Tracer,
{
    let mut run = Run {
        engine: &mut *engine,
        state,
        env,
        input: request.input,
        tracer,
    };
    let ran = run.request(request, intrinsic.initial)?;
    let refund = engine.journal.refund();
    let bill = refund::settle(request.gas_limit, &ran, refund, intrinsic.floor);
    Ok((ran, bill))
}

fn outcome(engine: &mut Engine, ran: Ran, bill: GasBill) -> Outcome {
    let finished = engine.journal.finish();
    Outcome {
        status: ran.frame.status,
        created: ran.created,
        gas_used: bill.used,
        gas_refunded: bill.refunded,
        output: engine.output(),
        logs: finished.logs,
        diff: finished.diff,
        destroyed: finished.destroyed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_may_move_to_another_thread() {
        fn assert_send<T: Send>() {}
        assert_send::<Machine>();
    }
}
