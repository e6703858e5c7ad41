//! A block that only lacks its proof of work.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes};
use cairn_genesis::check::after_parent;
use cairn_genesis::{
    Header, InvalidBlock, ParentTimes, Receipt, Seal, Target, VerifiedBlock, VerifiedTransaction,
    receipts_root, transactions_root,
};
use cairn_vm::gas;

use super::error::ConnectError;
use super::execute::{BlockExecution, block_env};
use super::record::HeaderRecord;
use super::{BlockError, Chain};
use crate::mempool::Best;
use crate::state::Pending;
use crate::store::StoreError;

/// Bytes of a block beside its transactions, rounded up: header, seal, list heads.
const BLOCK_OVERHEAD_BYTES: usize = 1024;

/// Transactions in a row that no longer fit before the template is taken as full.
/// Trades the last thousandths of a block's fees against building time.
const MAX_MISSES: usize = 100;

/// Who mines, and when.
#[derive(Debug, Clone)]
pub struct TemplateRequest {
    /// The chain's time, in seconds.
    pub now_s: u64,
    /// Who gets subsidy and priority fees.
    pub beneficiary: Address,
    /// Free bytes of the header, at most 32.
    pub extra: Bytes,
}

/// A block ready to be mined on the tip.
#[derive(Debug, Clone)]
pub struct Template {
    /// The header, complete.
    pub header: Header,
    /// What a hash must not exceed.
    pub target: Target,
    /// The transactions.
    pub transactions: Vec<VerifiedTransaction>,
}

impl Template {
    /// The block, with the proof of work that `seal` is.
    ///
    /// # Errors
    /// The rule that the sealed block breaks.
    pub fn seal(
        &self,
        spec: &cairn_genesis::ChainSpec,
        seal: Seal,
    ) -> Result<VerifiedBlock, InvalidBlock> {
        VerifiedBlock::seal(spec, self.header.clone(), seal, self.transactions.clone())
    }
}

impl Chain {
    /// A template on the tip with the most profitable transactions of `best` that
    /// fit its gas and bytes. Transactions that turn out not to be executable are
    /// left out, with all that their sender sent after them.
    ///
    /// # Errors
    /// `NotYet` while the tip's timestamp is so far ahead that a block on it would
    /// have to be dated beyond what others accept.
    pub fn template(
        &mut self,
        request: &TemplateRequest,
        best: Best<'_>,
    ) -> Result<Template, BlockError> {
        let parent = Arc::clone(&self.tip);
        let mut header = self.next_header(&parent, request);
        if let Some(not_yet) = after_parent::not_yet(&self.spec, &header, request.now_s) {
            return Err(not_yet.into());
        }
        let mut pending = Pending::default();
        let mut execution = BlockExecution::begin(
            &*self.store,
            &mut pending,
            &mut self.machine,
            block_env(&self.spec, &header),
            parent.hash,
        )?;
        let max_bytes = self
            .spec
            .max_block_bytes
            .saturating_sub(BLOCK_OVERHEAD_BYTES);
        let transactions = fill(&mut execution, best, max_bytes)?;
        let receipts: Vec<Receipt> = execution.receipts().cloned().collect();
        let subsidy = self.spec.subsidy(header.number);
        // Three independent roots, of which the state's takes longest.
        let (executed, (transactions_root, receipts_root)) = rayon::join(
            || execution.finish(subsidy),
            || (transactions_root(&transactions), receipts_root(&receipts)),
        );
        let executed = executed?;
        header.gas_used = executed.gas_used;
        header.state_root = executed.state_root;
        header.transactions_root = transactions_root;
        header.receipts_root = receipts_root;
        let target = Target::from_bits(header.bits).map_err(InvalidBlock::Bits)?;
        Ok(Template {
            header,
            target,
            transactions,
        })
    }

    fn next_header(&self, parent: &HeaderRecord, request: &TemplateRequest) -> Header {
        let spec = &self.spec;
        let timestamp = request.now_s.max(parent.header.timestamp + 1);
        let times = ParentTimes {
            number: parent.number(),
            timestamp: parent.header.timestamp,
            skipped: parent.skipped,
        };
        Header {
            parent_hash: parent.hash,
            number: parent.number() + 1,
            timestamp,
            bits: spec.next_bits(&times, timestamp).bits,
            beneficiary: request.beneficiary,
            state_root: Default::default(),
            transactions_root: Default::default(),
            receipts_root: Default::default(),
            gas_limit: spec.gas_limit,
            gas_used: 0,
            base_fee: spec.next_base_fee(&parent.header),
            extra: request.extra.clone(),
        }
    }
}

fn fill(
    execution: &mut BlockExecution<'_>,
    mut best: Best<'_>,
    max_bytes: usize,
) -> Result<Vec<VerifiedTransaction>, StoreError> {
    let mut chosen = Vec::new();
    let mut size_bytes = 0;
    let mut misses = 0;
    while execution.gas_left() >= gas::TRANSACTION && misses < MAX_MISSES {
        let Some(transaction) = best.next() else {
            break;
        };
        let transaction = transaction.clone();
        // An envelope in a block's list costs up to 5 bytes of length.
        let bytes = transaction.envelope().len() + 5;
        if size_bytes + bytes > max_bytes {
            misses += 1;
            best.skip_sender();
            continue;
        }
        match execution.transact(&transaction) {
            Ok(()) => {
                size_bytes += bytes;
                misses = 0;
                chosen.push(transaction);
            }
            Err(ConnectError::Invalid(fault)) => {
                tracing::trace!(hash = %transaction.hash(), %fault, "left out of the template");
                misses += 1;
                best.skip_sender();
            }
            Err(ConnectError::Ours(error)) => return Err(error),
        }
    }
    Ok(chosen)
}
