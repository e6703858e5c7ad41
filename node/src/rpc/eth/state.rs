//! Accounts at any block: balance, nonce, code, storage.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U64, U256};
use alloy_rpc_types_eth::{BlockId, BlockNumberOrTag};
use cairn_vm::State;

use super::lookup;
use crate::chain::ChainView;
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;
use crate::rpc::pool_mirror::end_of_run;
use crate::state::Account;

pub(super) fn register(registry: &mut Registry) {
    registry.read("eth_getBalance", 2, balance);
    registry.read("eth_getTransactionCount", 2, transaction_count);
    registry.read("eth_getCode", 2, code);
    registry.read("eth_getStorageAt", 3, storage_at);
}

fn balance(api: &Api, args: &mut Args<'_>) -> Result<U256, RpcError> {
    let (address, block) = account_at(args)?;
    Ok(account(&api.view()?, address, block)?.balance)
}

/// At `pending` the transactions in the pool count, as far as they have no gap.
fn transaction_count(api: &Api, args: &mut Args<'_>) -> Result<U64, RpcError> {
    let (address, block) = account_at(args)?;
    let nonce = match block {
        BlockId::Number(BlockNumberOrTag::Pending) => next_nonce(api, address)?,
        _ => account(&api.view()?, address, block)?.nonce,
    };
    Ok(U64::from(nonce))
}

/// The nonce that the next transaction of `address` has to use. The pool is asked first and
/// the snapshot taken after: a transaction that is mined in between counts once more, not never.
pub fn next_nonce(api: &Api, address: Address) -> Result<u64, RpcError> {
    let queue = api.node.pool.of(address);
    let nonce = account(&api.view()?, address, BlockId::latest())?.nonce;
    Ok(end_of_run(&queue, nonce))
}

fn code(api: &Api, args: &mut Args<'_>) -> Result<Bytes, RpcError> {
    let (address, block) = account_at(args)?;
    let view = api.view()?;
    let state = lookup::state(&view, block)?;
    let account = state.account(address)?.unwrap_or_default();
    match account.code_hash {
        KECCAK256_EMPTY => Ok(Bytes::new()),
        hash => Ok(state.code(hash)?),
    }
}

/// The slot is a quantity or 32 bytes; the answer is always 32 bytes.
fn storage_at(api: &Api, args: &mut Args<'_>) -> Result<B256, RpcError> {
    let address: Address = args.required("address")?;
    let slot: U256 = args.required("slot")?;
    let block: Option<BlockId> = args.optional("block")?;
    let view = api.view()?;
    let state = lookup::state(&view, block.unwrap_or_default())?;
    Ok(state.slot(address, slot)?.into())
}

fn account_at(args: &mut Args<'_>) -> Result<(Address, BlockId), RpcError> {
    let address = args.required("address")?;
    let block: Option<BlockId> = args.optional("block")?;
    Ok((address, block.unwrap_or_default()))
}

/// The account, empty if it is absent.
fn account(view: &ChainView<'_>, address: Address, block: BlockId) -> Result<Account, RpcError> {
    let state = lookup::state(view, block)?;
    Ok(state.account(address)?.unwrap_or_default())
}
