//! The execution of one block on an overlay: system operation, transactions,
//! subsidy, root. Used alike for blocks that arrive and for templates.

use alloy_primitives::{B256, U256, keccak256};
use cairn_genesis::{
    ChainSpec, HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS, Header, Receipt, VerifiedTransaction,
};
use cairn_vm::{BlockEnv, Machine, TransactError};

use super::error::{ConnectError, ExecutionFault};
use super::record::ReceiptRecord;
use crate::convert::transaction_env;
use crate::state::{BlockChanges, Changes, Pending};
use crate::store::{Reader, StoreError};

/// A block under execution.
pub struct BlockExecution<'a> {
    reader: &'a dyn Reader,
    pending: &'a mut Pending,
    machine: &'a mut Machine,
    env: BlockEnv,
    changes: BlockChanges,
    receipts: Vec<ReceiptRecord>,
    gas_used: u64,
    destroyed: U256,
}

/// What the execution of a block came to.
#[derive(Debug)]
pub struct Executed {
    /// State root after the block.
    pub state_root: B256,
    /// Receipts, with senders.
    pub receipts: Vec<ReceiptRecord>,
    /// Gas of all transactions.
    pub gas_used: u64,
    /// Before-images of everything that changed.
    pub changes: Changes,
    /// Wei that came into being.
    pub issued: U256,
    /// Wei that were destroyed.
    pub burned: U256,
}

/// The part of a header that its execution sees.
pub fn block_env(spec: &ChainSpec, header: &Header) -> BlockEnv {
    BlockEnv {
        number: header.number,
        timestamp: header.timestamp,
        beneficiary: header.beneficiary,
        gas_limit: header.gas_limit,
        base_fee: header.base_fee,
        prevrandao: keccak256(header.parent_hash),
        blob_base_fee: 1,
        chain_id: spec.chain_id,
    }
}

/// R-EXE-1: "Before the first transaction of every block ≥ 1, slot (number − 1) mod 8191 of the
/// account 0x0000F90827F1C53a10cb7A02335B175320002935 becomes parent_hash".
pub(super) fn parent_hash_slot(number: u64) -> U256 {
    U256::from((number - 1) % HISTORY_SERVE_WINDOW)
}

impl<'a> BlockExecution<'a> {
    /// Begins a block on `pending`, which stands at its parent: R-EXE-1, the
    /// parent's hash goes into the history contract (EIP-2935).
    pub fn begin(
        reader: &'a dyn Reader,
        pending: &'a mut Pending,
        machine: &'a mut Machine,
        env: BlockEnv,
        parent_hash: B256,
    ) -> Result<Self, StoreError> {
        let mut changes = BlockChanges::default();
        let slot = parent_hash_slot(env.number);
        let hash = U256::from_be_bytes(parent_hash.0);
        pending.write_slot(reader, HISTORY_STORAGE_ADDRESS, slot, hash, &mut changes)?;
        Ok(Self {
            reader,
            pending,
            machine,
            env,
            changes,
            receipts: Vec::new(),
            gas_used: 0,
            destroyed: U256::ZERO,
        })
    }

    /// Gas that further transactions may ask for.
    pub fn gas_left(&self) -> u64 {
        self.env.gas_limit - self.gas_used
    }

    /// What the transactions so far came to.
    pub fn receipts(&self) -> impl Iterator<Item = &Receipt> {
        self.receipts.iter().map(|record| &record.receipt)
    }

    /// Executes one more transaction, or leaves everything as it was.
    pub fn transact(&mut self, transaction: &VerifiedTransaction) -> Result<(), ConnectError> {
        let index = self.receipts.len();
        // R-EXE-6: "at most the block's gas_limit less the gas that the transactions before
        // it used."
        if transaction.gas_limit() > self.gas_left() {
            return Err(ConnectError::Invalid(ExecutionFault::BlockGas {
                index,
                got: transaction.gas_limit(),
                left: self.gas_left(),
            }));
        }
        let state = self.pending.over(self.reader);
        let outcome = self
            .machine
            .transact(&state, &self.env, &transaction_env(transaction))
            .map_err(|error| match error {
                TransactError::Invalid(reason) => {
                    ConnectError::Invalid(ExecutionFault::Transaction { index, reason })
                }
                TransactError::State(error) => ConnectError::Ours(error),
            })?;
        self.gas_used += outcome.gas_used;
        self.destroyed = self.destroyed.saturating_add(outcome.destroyed);
        self.pending
            .apply(self.reader, outcome.diff, &mut self.changes)?;
        self.receipts.push(ReceiptRecord {
            sender: transaction.sender(),
            created: outcome.created,
            receipt: Receipt {
                tx_type: transaction.tx_type(),
                success: outcome.status.is_success(),
                cumulative_gas_used: self.gas_used,
                logs: outcome.logs,
            },
        });
        Ok(())
    }

    /// Ends the block: R-REW-2, the subsidy goes to the beneficiary.
    pub fn finish(mut self, subsidy: U256) -> Result<Executed, StoreError> {
        let beneficiary = self.env.beneficiary;
        self.pending
            .credit(self.reader, beneficiary, subsidy, &mut self.changes)?;
        let _span = tracing::debug_span!("root").entered();
        let state_root = self.pending.root_after(self.reader, &self.changes)?;
        let base_fees = U256::from(self.env.base_fee).saturating_mul(U256::from(self.gas_used));
        Ok(Executed {
            state_root,
            receipts: self.receipts,
            gas_used: self.gas_used,
            changes: self.changes.into_changes(),
            issued: subsidy,
            burned: base_fees.saturating_add(self.destroyed),
        })
    }
}
