//! From a transaction request to what the machine runs.

use alloy_primitives::{Address, B256, TxKind};
use alloy_rpc_types_eth::TransactionRequest;
use cairn_genesis::recover_secp256k1;
use cairn_vm::{Authorization, BlockEnv, CallRequest};

use crate::rpc::error::RpcError;

/// Most gas of one call. Enough for any block of the built-in chains; bounds what one
/// request costs us.
pub const CALL_GAS_CAP: u64 = 50_000_000;

/// What a request offers per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offer {
    /// The most per gas, base fee included; 0 if the request names no price.
    pub max_fee: u128,
    /// What would be paid at the block's base fee.
    pub price: u128,
}

/// Reads the fees of `request` for a block with this base fee.
///
/// # Errors
/// In geth's words, if the fields contradict each other or offer less than the base fee.
pub fn offer(request: &TransactionRequest, base_fee: u64) -> Result<Offer, RpcError> {
    let base_fee = u128::from(base_fee);
    let (max_fee, price) = match (
        request.gas_price,
        request.max_fee_per_gas,
        request.max_priority_fee_per_gas,
    ) {
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            return Err(RpcError::params(
                "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
            ));
        }
        (Some(price), None, None) => (price, price),
        (None, Some(max), tip) if tip.unwrap_or(0) > max => {
            return Err(RpcError::params(format!(
                "max priority fee per gas higher than max fee per gas: maxFeePerGas is {max}, maxPriorityFeePerGas {}",
                tip.unwrap_or(0)
            )));
        }
        (None, Some(max), tip) => (max, max.min(base_fee.saturating_add(tip.unwrap_or(0)))),
        (None, None, _) => (0, 0),
    };
    if max_fee != 0 && max_fee < base_fee {
        return Err(RpcError::refused(format!(
            "max fee per gas less than block base fee: the request offers {max_fee}, the base fee is {base_fee}"
        )));
    }
    Ok(Offer { max_fee, price })
}

/// The call that `request` describes, in the block `env`, with all the gas it may have.
///
/// # Errors
/// If the request contradicts itself, is for another chain or carries blobs.
pub fn call(request: TransactionRequest, env: &BlockEnv) -> Result<CallRequest, RpcError> {
    check_chain(&request, env.chain_id)?;
    let price = offer(&request, env.base_fee)?.price;
    let input = request
        .input
        .try_into_unique_input()
        .map_err(|error| RpcError::params(error.to_string()))?;
    let access_list = request.access_list.unwrap_or_default();
    let authorizations = request.authorization_list.unwrap_or_default();
    Ok(CallRequest {
        sender: request.from.unwrap_or_default(),
        gas_limit: request.gas.unwrap_or(CALL_GAS_CAP).min(CALL_GAS_CAP),
        gas_price: price,
        to: request.to.unwrap_or(TxKind::Create),
        value: request.value.unwrap_or_default(),
        input: input.unwrap_or_default(),
        access_list: access_list
            .0
            .into_iter()
            .map(|item| (item.address, item.storage_keys))
            .collect(),
        authorizations: authorizations.iter().map(authorization).collect(),
    })
}

/// The chain id, and what this chain cannot do.
pub fn check_chain(request: &TransactionRequest, chain_id: u64) -> Result<(), RpcError> {
    if let Some(named) = request.chain_id.filter(|named| *named != chain_id) {
        return Err(RpcError::params(format!(
            "chainId does not match node's: the request is for {named}, this chain's is {chain_id}"
        )));
    }
    let blobs = request.sidecar.is_some()
        || request.max_fee_per_blob_gas.is_some()
        || request.blob_versioned_hashes.is_some();
    match blobs {
        true => Err(RpcError::params(
            "blob transactions are not supported: this chain has no blob space",
        )),
        false => Ok(()),
    }
}

/// A signature that recovers to nobody makes the machine skip the entry, as in a block.
fn authorization(signed: &alloy_eips::eip7702::SignedAuthorization) -> Authorization {
    Authorization {
        chain_id: *signed.chain_id(),
        address: *signed.address(),
        nonce: signed.nonce(),
        authority: signer(signed),
    }
}

fn signer(signed: &alloy_eips::eip7702::SignedAuthorization) -> Option<Address> {
    let signature = signed.signature().ok()?;
    let digest: B256 = signed.signature_hash();
    recover_secp256k1(&signature, digest).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(json: serde_json::Value) -> TransactionRequest {
        serde_json::from_value(json).unwrap()
    }

    fn env() -> BlockEnv {
        BlockEnv {
            base_fee: 10,
            chain_id: 31337,
            gas_limit: 30_000_000,
            ..BlockEnv::default()
        }
    }

    #[test]
    fn prices_follow_eip_1559() {
        let offered = |json| offer(&request(json), 10).unwrap();
        assert_eq!(
            offered(serde_json::json!({})),
            Offer {
                max_fee: 0,
                price: 0
            }
        );
        assert_eq!(
            offered(serde_json::json!({"gasPrice": "0xc"})),
            Offer {
                max_fee: 12,
                price: 12
            }
        );
        let dynamic = serde_json::json!({"maxFeePerGas": "0x14", "maxPriorityFeePerGas": "0x2"});
        assert_eq!(
            offered(dynamic),
            Offer {
                max_fee: 20,
                price: 12
            }
        );
    }

    #[test]
    fn contradictions_are_refused() {
        for json in [
            serde_json::json!({"gasPrice": "0xc", "maxFeePerGas": "0xc"}),
            serde_json::json!({"maxFeePerGas": "0xc", "maxPriorityFeePerGas": "0xd"}),
            serde_json::json!({"gasPrice": "0x9"}),
            serde_json::json!({"chainId": "0x1"}),
            serde_json::json!({"maxFeePerBlobGas": "0x1"}),
            serde_json::json!({"data": "0x01", "input": "0x02"}),
        ] {
            assert!(call(request(json.clone()), &env()).is_err(), "{json}");
        }
    }

    #[test]
    fn missing_fields_have_defaults() {
        let to = Address::repeat_byte(1);
        let call = call(
            request(serde_json::json!({"to": to, "data": "0x0102"})),
            &env(),
        )
        .unwrap();
        assert_eq!(call.to, TxKind::Call(to));
        assert_eq!(call.gas_limit, CALL_GAS_CAP);
        assert_eq!(call.input.as_ref(), [1, 2]);
        assert_eq!(call.sender, Address::ZERO);
    }
}
