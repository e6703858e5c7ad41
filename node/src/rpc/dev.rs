//! Signing by the node, with the well-known keys of development chains.
//!
//! On every other chain these methods exist and refuse: a node that holds no keys cannot
//! be made to spend by whoever reaches its port.

use std::sync::Arc;

use alloy_consensus::{EthereumTypedTransaction, TxEip4844Variant};
use alloy_primitives::{Address, B256, Bytes, TxKind, eip191_hash_message};
use alloy_rpc_types_eth::{BlockId, TransactionRequest};
use cairn_genesis::{Body, Transaction, VerifiedTransaction};
use jsonrpsee::types::Params;
use serde::Serialize;

use super::accounts::DevAccounts;
use super::api::Api;
use super::error::RpcError;
use super::eth::{self, CallArgs};
use super::methods::Registry;
use super::params::Args;
use super::types::RpcTransaction;
use crate::chain::ChainView;

/// Room for the base fee to rise while the transaction waits: it doubles in six full blocks.
const BASE_FEE_HEADROOM: u128 = 2;

pub(super) fn register(registry: &mut Registry) {
    registry.task("eth_sendTransaction", send_transaction);
    registry.heavy("eth_signTransaction", 1, sign_transaction);
    registry.read("eth_sign", 2, sign);
    registry.read("personal_sign", 3, personal_sign);
}

/// A signed transaction that was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedTransaction {
    /// The envelope, for `eth_sendRawTransaction`.
    pub raw: Bytes,
    /// The same in JSON.
    pub tx: RpcTransaction,
}

/// One at a time from the choice of the nonce until the pool has the transaction, so that two
/// requests do not choose the same.
async fn send_transaction(api: Arc<Api>, params: Params<'static>) -> Result<B256, RpcError> {
    let request: TransactionRequest = Args::parse(&params, 1)?.required("transaction")?;
    let _turn = api.sending.lock().await;
    let signed = api.compute(|api| complete_and_sign(api, request)).await?;
    api.node.core.submit_transaction(signed).await
}

fn sign_transaction(api: &Api, args: &mut Args<'_>) -> Result<SignedTransaction, RpcError> {
    let signed = complete_and_sign(api, args.required("transaction")?)?;
    Ok(SignedTransaction {
        raw: signed.envelope().clone(),
        tx: eth::in_no_block(&signed),
    })
}

fn sign(api: &Api, args: &mut Args<'_>) -> Result<Bytes, RpcError> {
    let address: Address = args.required("address")?;
    let message: Bytes = args.required("message")?;
    sign_message(api, address, &message)
}

/// As `eth_sign`, with the parameters the other way round; a password may follow and means nothing.
fn personal_sign(api: &Api, args: &mut Args<'_>) -> Result<Bytes, RpcError> {
    let message: Bytes = args.required("message")?;
    let address: Address = args.required("address")?;
    sign_message(api, address, &message)
}

/// EIP-191: the prefix makes sure that what is signed is no transaction.
fn sign_message(api: &Api, address: Address, message: &[u8]) -> Result<Bytes, RpcError> {
    let signature = keys(api)?.sign(address, eip191_hash_message(message));
    let signature = signature.ok_or_else(|| unknown_account(address))?;
    Ok(Bytes::copy_from_slice(&signature.as_bytes()))
}

fn keys(api: &Api) -> Result<&DevAccounts, RpcError> {
    api.node.dev.as_ref().ok_or_else(|| {
        RpcError::refused(
            "this node holds no keys: sign with a wallet (`cairn-wallet send`) and use eth_sendRawTransaction",
        )
    })
}

fn unknown_account(address: Address) -> RpcError {
    RpcError::refused(format!(
        "unknown account: this node has no key for {address}"
    ))
}

fn complete_and_sign(
    api: &Api,
    request: TransactionRequest,
) -> Result<VerifiedTransaction, RpcError> {
    let keys = keys(api)?;
    let from = request
        .from
        .ok_or_else(|| RpcError::params("the transaction has no 'from'"))?;
    if !keys.addresses().contains(&from) {
        return Err(unknown_account(from));
    }
    let body = body(complete(api, &api.view()?, from, request)?)?;
    let signature = keys
        .sign(from, body.signing_hash())
        .ok_or_else(|| unknown_account(from))?;
    let transaction = Transaction::ethereum(body, signature)?;
    Ok(VerifiedTransaction::new(
        transaction,
        api.node.spec.chain_id,
    )?)
}

/// Fills in what the request leaves open, as geth and anvil do.
fn complete(
    api: &Api,
    view: &ChainView<'_>,
    from: Address,
    mut request: TransactionRequest,
) -> Result<TransactionRequest, RpcError> {
    let chain_id = api.node.spec.chain_id;
    eth::check_chain(&request, chain_id)?;
    request.chain_id = Some(chain_id);
    let input = request.input.clone().try_into_unique_input();
    let input = input
        .map_err(|error| RpcError::params(error.to_string()))?
        .unwrap_or_default();
    if request.to.is_none() && input.is_empty() {
        return Err(RpcError::params(
            "contract creation without any data provided",
        ));
    }
    request.input = input.into();
    request.to.get_or_insert(TxKind::Create);
    complete_fees(api, view, &mut request)?;
    if request.nonce.is_none() {
        request.nonce = Some(eth::next_nonce(api, from)?);
    }
    if request.gas.is_none() {
        let call = CallArgs {
            request: request.clone(),
            block: BlockId::pending(),
            ..CallArgs::default()
        };
        request.gas = Some(eth::estimate(api, view, call)?);
    }
    Ok(request)
}

/// Contradictions are left in; the estimate and the pool refuse them in geth's words.
fn complete_fees(
    api: &Api,
    view: &ChainView<'_>,
    request: &mut TransactionRequest,
) -> Result<(), RpcError> {
    if request.gas_price.is_some() {
        return Ok(());
    }
    let base_fee = u128::from(api.node.spec.next_base_fee(&view.tip_record().header));
    let suggested = match request.max_priority_fee_per_gas {
        Some(tip) => tip,
        None => eth::suggested_tip(api, view)?,
    };
    let with_headroom = base_fee
        .saturating_mul(BASE_FEE_HEADROOM)
        .saturating_add(suggested);
    let max_fee = *request.max_fee_per_gas.get_or_insert(with_headroom);
    request
        .max_priority_fee_per_gas
        .get_or_insert(suggested.min(max_fee));
    Ok(())
}

fn body(request: TransactionRequest) -> Result<Body, RpcError> {
    use EthereumTypedTransaction::{Eip1559, Eip2930, Eip4844, Eip7702, Legacy};
    let typed: Result<EthereumTypedTransaction<TxEip4844Variant>, _> = request.build_typed_tx();
    let typed = typed.map_err(|_| {
        RpcError::params("the transaction is incomplete, or its fields contradict each other")
    })?;
    match typed {
        Legacy(tx) => Ok(tx.into()),
        Eip2930(tx) => Ok(tx.into()),
        Eip1559(tx) => Ok(tx.into()),
        Eip7702(tx) => Ok(tx.into()),
        Eip4844(_) => Err(RpcError::params(
            "blob transactions are not supported: this chain has no blob space",
        )),
    }
}
