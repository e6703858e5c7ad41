//! What a machine did with a transaction, in a form that both can be brought into.

use alloy_primitives::{Address, B256, Bytes, Log, U256};
use cairn_vm::{AccountInfo, Outcome, Status, TransactError, TxEnv};
use revm::{
    context::result::{EVMError, ExecResultAndState, ExecutionResult, InvalidTransaction, Output},
    state::EvmState,
};

use crate::world::World;

/// How it ended. Why a run halted is not compared: a machine that checks whole blocks may find another
/// reason first, and nobody but tracers sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Success,
    Revert,
    Halt,
}

/// An account after the transaction, if it differs from before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub address: Address,
    /// Nonce, balance, code hash; `None` if it is gone.
    pub after: Option<(u64, U256, B256)>,
    pub storage: Vec<(U256, U256)>,
}

/// All that a valid transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub class: Class,
    pub gas_used: u64,
    pub gas_refunded: u64,
    pub output: Bytes,
    /// Only where the creation succeeded.
    pub created: Option<Address>,
    pub logs: Vec<Log>,
    pub changed: Vec<Changed>,
}

/// `None` if the transaction is invalid.
pub type Verdict = Option<Summary>;

pub fn class(status: Status) -> Class {
    match status {
        Status::Success => Class::Success,
        Status::Revert => Class::Revert,
        Status::Halt(_) => Class::Halt,
    }
}

/// What cairn-vm says.
pub fn of_ours<E: std::fmt::Debug>(result: &Result<Outcome, TransactError<E>>) -> Verdict {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(TransactError::Invalid(_)) => return None,
        Err(error) => panic!("the state of this test never fails: {error:?}"),
    };
    let changed = outcome.diff.accounts.iter().map(|change| Changed {
        address: change.address,
        after: change
            .after
            .map(|info| (info.nonce, info.balance, info.code_hash)),
        storage: change
            .storage
            .iter()
            .map(|slot| (slot.slot, slot.after))
            .collect(),
    });
    Some(Summary {
        class: class(outcome.status),
        gas_used: outcome.gas_used,
        gas_refunded: outcome.gas_refunded,
        output: outcome.output.clone(),
        created: outcome.created.filter(|_| outcome.status.is_success()),
        logs: outcome.logs.clone(),
        changed: changed.collect(),
    })
}

/// What revm says.
pub fn of_revm<E: std::fmt::Debug>(
    world: &World,
    tx: &TxEnv,
    result: Result<ExecResultAndState<ExecutionResult>, EVMError<E, InvalidTransaction>>,
) -> Verdict {
    let ExecResultAndState { result, state } = match result {
        Ok(result) => result,
        Err(EVMError::Transaction(_)) => return None,
        Err(error) => panic!("revm fails: {error:?}"),
    };
    let (gas_used, gas_refunded) = (result.tx_gas_used(), result.gas().inner_refunded());
    let changed = changes(world, state);
    let (class, output, created, logs) = match result {
        ExecutionResult::Success {
            output: Output::Call(bytes),
            logs,
            ..
        } => (Class::Success, bytes, None, logs),
        ExecutionResult::Success {
            output: Output::Create(bytes, address),
            logs,
            ..
        } => (Class::Success, bytes, address, logs),
        ExecutionResult::Revert { output, .. } => (Class::Revert, output, None, Vec::new()),
        ExecutionResult::Halt { .. } => (Class::Halt, Bytes::new(), None, Vec::new()),
    };
    assert_eq!(
        created.is_some(),
        class == Class::Success && tx.to.is_create()
    );
    Some(Summary {
        class,
        gas_used,
        gas_refunded,
        output,
        created,
        logs,
        changed,
    })
}

fn changes(world: &World, state: EvmState) -> Vec<Changed> {
    let mut changed = Vec::new();
    for (address, account) in state {
        let before = world.get(address).map(|account| account.info);
        let gone = account.is_selfdestructed() || account.is_touched() && account.is_empty();
        let after = if gone || before.is_none() && account.is_empty() {
            None
        } else {
            Some(&account.info)
        };
        let after = after.map(|info| (info.nonce, info.balance, info.code_hash));
        let mut storage: Vec<(U256, U256)> = match after {
            Some(_) => account
                .changed_storage_slots()
                .map(|(key, slot)| (*key, slot.present_value))
                .collect(),
            None => Vec::new(),
        };
        storage.sort_unstable();
        let before = before.map(
            |AccountInfo {
                 nonce,
                 balance,
                 code_hash,
                 ..
             }| (nonce, balance, code_hash),
        );
        if after != before || !storage.is_empty() {
            changed.push(Changed {
                address,
                after,
                storage,
            });
        }
    }
    changed.sort_unstable_by_key(|change| change.address);
    changed
}
