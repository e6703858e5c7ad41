//! The block that would come next, as far as it can be told without executing it.
//!
//! Number, parent, timestamp, bits, base fee and gas limit are what a block mined now would have;
//! the transactions are those that pay most and fit. Hash, nonce and seal are `null`, the
//! roots of what only execution gives are zero, and `gasUsed` is what the transactions may use.

use std::collections::BinaryHeap;

use alloy_primitives::{B256, Bytes};
use alloy_rpc_types_eth::BlockTransactions;
use cairn_genesis::{Header, ParentTimes, VerifiedTransaction, transactions_root};

use crate::chain::{ChainView, HeaderRecord};
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::pool_mirror::{Queue, end_of_run};
use crate::rpc::types::{self, RpcBlock, RpcTransaction};

/// The pending block on top of the tip.
pub fn block(api: &Api, view: &ChainView<'_>, whole: bool) -> Result<RpcBlock, RpcError> {
    let parent = view.tip_record();
    let mut header = next_header(api, parent);
    let chosen = choose(api, view, &header)?;
    header.transactions_root = transactions_root(&chosen);
    header.gas_used = chosen
        .iter()
        .map(|transaction| transaction.gas_limit())
        .sum();
    let transactions = match whole {
        true => BlockTransactions::Full(chosen.iter().map(in_no_block).collect()),
        false => BlockTransactions::Hashes(
            chosen
                .iter()
                .map(|transaction| transaction.hash())
                .collect(),
        ),
    };
    Ok(RpcBlock::new(
        types::pending_header(&header, parent),
        transactions,
    ))
}

/// A transaction of the pool in JSON.
pub fn in_no_block(transaction: &VerifiedTransaction) -> RpcTransaction {
    RpcTransaction::new(transaction, transaction.sender(), None)
}

/// The header of a block mined now on `parent`, without what its execution would add.
pub fn next_header(api: &Api, parent: &HeaderRecord) -> Header {
    let spec = &api.node.spec;
    let timestamp = (api.node.now_s)().max(parent.header.timestamp.saturating_add(1));
    let times = ParentTimes {
        number: parent.number(),
        timestamp: parent.header.timestamp,
        skipped: parent.skipped,
    };
    Header {
        parent_hash: parent.hash,
        number: parent.number().saturating_add(1),
        timestamp,
        bits: spec.next_bits(&times, timestamp).bits,
        beneficiary: api.node.mining.get().beneficiary.unwrap_or_default(),
        state_root: B256::ZERO,
        transactions_root: B256::ZERO,
        receipts_root: B256::ZERO,
        gas_limit: spec.gas_limit,
        gas_used: 0,
        base_fee: spec.next_base_fee(&parent.header),
        extra: Bytes::new(),
    }
}

/// The transactions that a miner would try: of each sender the run from its nonce on, merged
/// by the tip of whatever is next in each run, until one does not fit.
fn choose(
    api: &Api,
    view: &ChainView<'_>,
    header: &Header,
) -> Result<Vec<VerifiedTransaction>, RpcError> {
    let mut heads = BinaryHeap::new();
    for run in executable(api, view)? {
        heads.extend(Head::of(run, header.base_fee));
    }
    let mut chosen = Vec::new();
    let mut gas_left = header.gas_limit;
    while let Some(Head { next, rest, .. }) = heads.pop() {
        let Some(left) = gas_left.checked_sub(next.gas_limit()) else {
            continue;
        };
        gas_left = left;
        chosen.push(next);
        heads.extend(Head::of(rest, header.base_fee));
    }
    Ok(chosen)
}

type Run = std::vec::IntoIter<VerifiedTransaction>;

/// For each sender in the pool its transactions without a gap.
fn executable(api: &Api, view: &ChainView<'_>) -> Result<Vec<Run>, RpcError> {
    let state = view.state_at(view.tip().number)?;
    let mut runs = Vec::new();
    for (sender, queue) in api.node.pool.all() {
        let nonce = state.account(sender)?.unwrap_or_default().nonce;
        runs.push(run(queue, nonce));
    }
    Ok(runs)
}

fn run(mut queue: Queue, nonce: u64) -> Run {
    queue.split_off(&end_of_run(&queue, nonce));
    let run: Vec<_> = queue.split_off(&nonce).into_values().collect();
    run.into_iter()
}

/// The next transaction of one sender; the greatest is what pays most, and of equals the
/// one with the lower hash, so that two calls agree.
struct Head {
    tip: u128,
    next: VerifiedTransaction,
    rest: Run,
}

impl Head {
    fn of(mut run: Run, base_fee: u64) -> Option<Self> {
        let next = run.next()?;
        let tip = next.effective_tip(base_fee)?;
        Some(Self {
            tip,
            next,
            rest: run,
        })
    }

    fn key(&self) -> (u128, std::cmp::Reverse<B256>) {
        (self.tip, std::cmp::Reverse(self.next.hash()))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Head {}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}
