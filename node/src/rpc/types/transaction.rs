//! A transaction in JSON, one shape for all types.

use alloy_eips::eip2930::AccessList;
use alloy_eips::eip7702::SignedAuthorization;
use alloy_primitives::{Address, B256, Bytes, FixedBytes, TxKind, U64, U128, U256};
use cairn_genesis::{Body, Transaction, TransactionSignature};
use serde::Serialize;

/// EIP-155: `v = 35 + 2 × chain id + parity`.
const EIP155_OFFSET: u64 = 35;

/// A transaction as `eth_getTransactionByHash` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RpcTransaction {
    /// Its hash.
    pub hash: B256,
    /// Type of its envelope: `0x0`, `0x1`, `0x2`, `0x4` or `0x45`.
    #[serde(rename = "type")]
    pub tx_type: U64,
    /// The chain it is signed for.
    pub chain_id: U64,
    /// The sender's nonce.
    pub nonce: U64,
    /// Who sent it.
    pub from: Address,
    /// Whom it calls; `null` for a creation.
    pub to: Option<Address>,
    /// Wei moved.
    pub value: U256,
    /// Gas limit.
    pub gas: U64,
    /// Wei per gas: what was paid in its block, or the most it offers while pending.
    pub gas_price: U128,
    /// Wei per gas at most, base fee included; of types with separate fees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_fee_per_gas: Option<U128>,
    /// Wei per gas at most for the beneficiary; of types with separate fees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_priority_fee_per_gas: Option<U128>,
    /// Calldata or init code.
    pub input: Bytes,
    /// EIP-2930's list; absent for legacy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_list: Option<AccessList>,
    /// EIP-7702's list; of type 0x04.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_list: Option<Vec<SignedAuthorization>>,
    /// Parity, or EIP-155's v for legacy; 0 for native.
    pub v: U256,
    /// Parity; absent for legacy, 0 for native.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y_parity: Option<U64>,
    /// The signature's r; R as a big-endian integer for native.
    pub r: U256,
    /// The signature's s; S as an integer for native, where it is little-endian on the wire.
    pub s: U256,
    /// The Ed25519 key; of native ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<B256>,
    /// The Ed25519 signature as it is on the wire; of native ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<FixedBytes<64>>,
    /// Block it is in; `null` while pending, as the three below.
    pub block_hash: Option<B256>,
    /// Height of that block.
    pub block_number: Option<U64>,
    /// Timestamp of that block.
    pub block_timestamp: Option<U64>,
    /// Position in that block.
    pub transaction_index: Option<U64>,
}

/// Where a transaction stands in the chain.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The block's hash.
    pub block_hash: B256,
    /// The block's height.
    pub block_number: u64,
    /// The block's timestamp, seconds since 1970.
    pub block_timestamp: u64,
    /// The block's base fee, wei per gas.
    pub base_fee: u64,
    /// Position in the block.
    pub index: u64,
}

/// The signature's part of the JSON.
struct Signed {
    v: U256,
    y_parity: Option<U64>,
    r: U256,
    s: U256,
    public_key: Option<B256>,
    signature: Option<FixedBytes<64>>,
}

impl RpcTransaction {
    /// `transaction`, sent by `from`, at `place` or pending.
    pub fn new(transaction: &Transaction, from: Address, place: Option<Place>) -> Self {
        let dynamic = transaction.is_dynamic_fee();
        let signed = Signed::of(transaction);
        let price = place.map_or_else(
            || transaction.max_fee(),
            |place| transaction.effective_gas_price(place.base_fee),
        );
        Self {
            hash: transaction.hash(),
            tx_type: U64::from(transaction.tx_type()),
            chain_id: U64::from(transaction.chain_id()),
            nonce: U64::from(transaction.nonce()),
            from,
            to: address_called(transaction.to()),
            value: transaction.value(),
            gas: U64::from(transaction.gas_limit()),
            gas_price: U128::from(price),
            max_fee_per_gas: dynamic.then(|| U128::from(transaction.max_fee())),
            max_priority_fee_per_gas: dynamic.then(|| U128::from(transaction.max_priority_fee())),
            input: transaction.input().clone(),
            access_list: access_list(transaction),
            authorization_list: authorizations(transaction),
            v: signed.v,
            y_parity: signed.y_parity,
            r: signed.r,
            s: signed.s,
            public_key: signed.public_key,
            signature: signed.signature,
            block_hash: place.map(|place| place.block_hash),
            block_number: place.map(|place| U64::from(place.block_number)),
            block_timestamp: place.map(|place| U64::from(place.block_timestamp)),
            transaction_index: place.map(|place| U64::from(place.index)),
        }
    }
}

impl Signed {
    fn of(transaction: &Transaction) -> Self {
        match (transaction.body(), transaction.signature()) {
            (Body::Native(body), TransactionSignature::Ed25519(signature)) => {
                Self::ed25519(body.public_key, signature)
            }
            (body, TransactionSignature::Secp256k1(signature)) => {
                let parity = U64::from(signature.v());
                let legacy = matches!(body, Body::Legacy(_));
                Self {
                    v: if legacy {
                        eip155(transaction.chain_id(), parity)
                    } else {
                        U256::from(parity)
                    },
                    y_parity: (!legacy).then_some(parity),
                    r: signature.r(),
                    s: signature.s(),
                    public_key: None,
                    signature: None,
                }
            }
            (_, TransactionSignature::Ed25519(_)) => {
                unreachable!("genesis pairs each body with its own kind of signature")
            }
        }
    }

    /// What ethers and viem parse as a signature (they demand r, s and a parity, and s in the
    /// lower half, which S always is as an integer), and the true one beside it.
    fn ed25519(public_key: [u8; 32], signature: &[u8; 64]) -> Self {
        let (r, s) = signature.split_at(32);
        Self {
            v: U256::ZERO,
            y_parity: Some(U64::ZERO),
            r: U256::from_be_slice(r),
            s: U256::from_le_slice(s),
            public_key: Some(B256::from(public_key)),
            signature: Some(FixedBytes(*signature)),
        }
    }
}

/// In 256 bits nothing overflows, whatever the chain id.
fn eip155(chain_id: u64, parity: U64) -> U256 {
    U256::from(chain_id) * U256::from(2) + U256::from(EIP155_OFFSET) + U256::from(parity)
}

/// The address that a transaction calls.
pub fn address_called(to: TxKind) -> Option<Address> {
    match to {
        TxKind::Call(address) => Some(address),
        TxKind::Create => None,
    }
}

fn access_list(transaction: &Transaction) -> Option<AccessList> {
    let legacy = matches!(transaction.body(), Body::Legacy(_));
    (!legacy).then(|| transaction.access_list().clone())
}

fn authorizations(transaction: &Transaction) -> Option<Vec<SignedAuthorization>> {
    let delegates = matches!(transaction.body(), Body::Eip7702(_));
    delegates.then(|| transaction.authorizations().to_vec())
}
