//! `debug_getRaw*`: blocks and what they are made of, as bytes of the protocol.

use alloy_primitives::Bytes;
use alloy_rpc_types_eth::BlockId;
use cairn_genesis::Block;

use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::eth;
use crate::rpc::params::Args;

/// R-ENC-5.
pub fn block(api: &Api, args: &mut Args<'_>) -> Result<Option<Bytes>, RpcError> {
    let id: BlockId = args.required("block")?;
    let view = api.view()?;
    let Some(record) = eth::find(&view, id)? else {
        return Ok(None);
    };
    let Some(transactions) = view.body(record.hash)? else {
        return Ok(None);
    };
    let block = Block {
        header: record.header,
        seal: record.seal,
        transactions,
    };
    Ok(Some(block.encode().into()))
}

/// R-ENC-3.
pub fn header(api: &Api, args: &mut Args<'_>) -> Result<Option<Bytes>, RpcError> {
    let id: BlockId = args.required("block")?;
    let record = eth::find(&api.view()?, id)?;
    Ok(record.map(|record| alloy_rlp::encode(&record.header).into()))
}

/// R-ENC-6, one for each transaction.
pub fn receipts(api: &Api, args: &mut Args<'_>) -> Result<Option<Vec<Bytes>>, RpcError> {
    let id: BlockId = args.required("block")?;
    let view = api.view()?;
    let Some(record) = eth::find(&view, id)? else {
        return Ok(None);
    };
    let receipts = view.receipts(record.hash)?.map(Vec::into_iter);
    let encoded = receipts.map(|all| all.map(|record| record.receipt.encode().into()).collect());
    Ok(encoded)
}
