//! `debug_trace*`: which run is to be watched.

use alloy_primitives::{Address, B256};
use alloy_rpc_types_eth::{BlockId, BlockNumberOrTag, TransactionRequest};
use cairn_genesis::{Transaction, VerifiedTransaction};
use cairn_vm::{BlockEnv, TxEnv};
use jsonrpsee::core::JsonRawValue;

use super::config::{TraceCallConfig, TraceConfig};
use super::session::Session;
use crate::chain::{ChainView, HeaderRecord, Replay, block_env};
use crate::convert::transaction_env;
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::eth;
use crate::rpc::params::Args;

type Answer = Result<Box<JsonRawValue>, RpcError>;

/// `debug_traceTransaction`: the transactions before it are executed again, unwatched.
pub fn transaction(api: &Api, args: &mut Args<'_>) -> Answer {
    let hash: B256 = args.required("transaction hash")?;
    let config: TraceConfig = args.optional("trace options")?.unwrap_or_default();
    let view = api.view()?;
    let (number, index) = view.transaction_location(hash)?.ok_or_else(|| {
        RpcError::refused("transaction not found: no block of the best chain holds it")
    })?;
    let block = Block::at(api, &view, number)?;
    let mut session = Session::new(&api.machines, &config)?;
    let mut replay = block.replay(&view, &mut session, index as usize)?;
    let traced = block.transaction(index as usize)?;
    session.transaction(&mut replay, &block.env, &traced)?;
    session.finish()
}

/// `debug_traceBlockByNumber`.
pub fn block_by_number(api: &Api, args: &mut Args<'_>) -> Answer {
    let number: BlockNumberOrTag = args.required("block")?;
    block(api, number.into(), args)
}

/// `debug_traceBlockByHash`.
pub fn block_by_hash(api: &Api, args: &mut Args<'_>) -> Answer {
    let hash: B256 = args.required("block hash")?;
    block(api, hash.into(), args)
}

/// The traces of all transactions of a block, each with its hash.
fn block(api: &Api, id: BlockId, args: &mut Args<'_>) -> Answer {
    let config: TraceConfig = args.optional("trace options")?.unwrap_or_default();
    refuse_pending(id)?;
    let view = api.view()?;
    let block = Block::at(api, &view, eth::canonical_height(&view, id)?)?;
    let mut session = Session::new(&api.machines, &config)?;
    let mut replay = block.replay(&view, &mut session, 0)?;
    session.push("[");
    for (index, transaction) in block.body.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let hash = transaction.hash();
        session.push(&format!("{comma}{{\"txHash\":\"{hash}\",\"result\":"));
        session.transaction(&mut replay, &block.env, &block.transaction(index)?)?;
        session.push("}");
    }
    session.push("]");
    session.finish()
}

/// `debug_traceCall`: after a block, or before one of its transactions.
pub fn call(api: &Api, args: &mut Args<'_>) -> Answer {
    let request: TransactionRequest = args.required("transaction")?;
    let id: Option<BlockId> = args.optional("block")?;
    let config: TraceCallConfig = args.optional("trace options")?.unwrap_or_default();
    let id = id.unwrap_or_default();
    refuse_pending(id)?;
    let view = api.view()?;
    let number = eth::canonical_height(&view, id)?;
    let mut session = Session::new(&api.machines, &config.trace)?;
    let (mut env, replay) = match config.tx_index {
        None => {
            let env = block_env(&api.node.spec, &record(&view, number)?.header);
            (env, Replay::on(view.state_at(number)?))
        }
        Some(index) => {
            let block = Block::at(api, &view, number)?;
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            let replay = block.replay(&view, &mut session, index)?;
            (block.env, replay)
        }
    };
    let environment = config.block_overrides.unwrap_or_default();
    eth::apply_to_block(&mut env, &environment)?;
    let hashes = environment.block_hash.unwrap_or_default();
    let logs_before = replay.logs();
    let accounts = config.state_overrides.unwrap_or_default();
    let state = eth::Overridden::new(replay, accounts, hashes)?;
    let call = eth::call_request(request, &env)?;
    session.call(&state, &env, &call, logs_before)?;
    session.finish()
}

/// What the next block will hold is not known before it is mined.
fn refuse_pending(id: BlockId) -> Result<(), RpcError> {
    match id.is_pending() {
        true => Err(RpcError::refused(
            "tracing on top of pending is not supported",
        )),
        false => Ok(()),
    }
}

/// A block of the best chain that can be executed again.
struct Block<'a> {
    api: &'a Api,
    record: HeaderRecord,
    env: BlockEnv,
    body: Vec<Transaction>,
    /// Who sent each: found out when the block was executed.
    senders: Vec<Address>,
}

impl<'a> Block<'a> {
    fn at(api: &'a Api, view: &ChainView<'_>, number: u64) -> Result<Self, RpcError> {
        if number == 0 {
            return Err(RpcError::refused("genesis is not traceable"));
        }
        let record = record(view, number)?;
        let body = view.body(record.hash)?.unwrap_or_default();
        let receipts = view.receipts(record.hash)?.unwrap_or_default();
        let env = block_env(&api.node.spec, &record.header);
        Ok(Self {
            api,
            record,
            env,
            body,
            senders: receipts.iter().map(|receipt| receipt.sender).collect(),
        })
    }

    /// The state in front of the transaction at `index`.
    fn replay<'v>(
        &self,
        view: &'v ChainView<'_>,
        session: &mut Session<'_>,
        index: usize,
    ) -> Result<Replay<'v>, RpcError> {
        if index > self.body.len() {
            let (number, len) = (self.record.number(), self.body.len());
            return Err(RpcError::refused(format!(
                "transaction index {index} out of range for block {number}, which has {len}"
            )));
        }
        let parent = view.state_at(self.record.number() - 1)?;
        let mut replay = Replay::begin(parent, &self.record.header)?;
        for before in 0..index {
            session.skip(&mut replay, &self.env, &self.transaction(before)?)?;
        }
        Ok(replay)
    }

    /// The transaction at `index`.
    fn transaction(&self, index: usize) -> Result<TxEnv, RpcError> {
        let found = self.body.get(index).zip(self.senders.get(index));
        let (transaction, sender) =
            found.ok_or_else(|| RpcError::Internal("the transaction index is wrong".into()))?;
        let chain_id = self.api.node.spec.chain_id;
        let trusted = VerifiedTransaction::trusted(transaction.clone(), *sender, chain_id);
        Ok(transaction_env(&trusted))
    }
}

fn record(view: &ChainView<'_>, number: u64) -> Result<HeaderRecord, RpcError> {
    eth::find(view, BlockId::number(number))?
        .ok_or_else(|| RpcError::Internal(format!("block {number} is missing below the tip")))
}
