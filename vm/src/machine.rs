//! The machine: composes the phases, and keeps what is reused between transactions.

use crate::{
    BlockEnv, CallRequest, Journal, Outcome, Precompiles, State, TransactError, TxEnv,
    phases::{Request, buy, pay, refund, refund::GasBill, run, run::Ran, validate},
};

/// Executes transactions one after the other. Nothing carries over from one to the next but memory that
/// was allocated, so any machine with the same precompiles gives the same outcome.
///
/// It has no globals and may be moved between threads; threads that work at once have one each.
#[derive(Debug, Default)]
pub struct Machine {
    precompiles: Precompiles,
    journal: Journal,
}

impl Machine {
    /// A machine with these precompiles.
    pub fn new(precompiles: Precompiles) -> Self {
        // EIP-2929: accessed_addresses is initialized to include "all precompiles".
        let journal = Journal::new(precompiles.addresses());
        Self {
            precompiles,
            journal,
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
        let request = Request::from(tx);
        let intrinsic = validate::request(&request)?;
        let price = validate::fees(block, tx)?;
        self.journal.reset();
        let sender = validate::sender(&mut self.journal, state, tx)?;
        buy::gas(&mut self.journal, sender, tx.gas_limit, price);
        let ran = self.run(state, block, &request, intrinsic.initial)?;
        let bill = refund::settle(tx.gas_limit, &ran, self.journal.refund(), intrinsic.floor);
        pay::sender(&mut self.journal, sender, tx.gas_limit, &bill, price);
        pay::beneficiary(&mut self.journal, state, block, &bill, price)
            .map_err(TransactError::State)?;
        Ok(self.outcome(ran, bill))
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
        let request = Request::from(call);
        let intrinsic = validate::request(&request)?;
        self.journal.reset();
        validate::caller(&mut self.journal, state, &request)?;
        let ran = self.run(state, block, &request, intrinsic.initial)?;
        let bill = refund::settle(call.gas_limit, &ran, self.journal.refund(), intrinsic.floor);
        Ok(self.outcome(ran, bill))
    }

    fn run<S>(
        &mut self,
        state: &S,
        block: &BlockEnv,
        request: &Request<'_>,
        intrinsic_gas: u64,
    ) -> Result<Ran, TransactError<S::Error>>
    where
        S: State + ?Sized,
    {
        let Self {
            precompiles,
            journal,
        } = self;
        run::run(journal, precompiles, state, block, request, intrinsic_gas)
            .map_err(TransactError::State)
    }

    fn outcome(&mut self, ran: Ran, bill: GasBill) -> Outcome {
        let finished = self.journal.finish();
        Outcome {
            status: ran.frame.status,
            created: ran.created,
            gas_used: bill.used,
            gas_refunded: bill.refunded,
            output: ran.frame.output,
            logs: finished.logs,
            diff: finished.diff,
            destroyed: finished.destroyed,
        }
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
