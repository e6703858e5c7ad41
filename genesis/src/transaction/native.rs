//! The native transaction, type `0x45`: Ed25519, with the public key inside.
//!
//! ```text
//! fields    = chain_id, nonce, max_priority_fee, max_fee, gas_limit, to (empty or 20 B), value,
//!             input, access_list, public_key (32 B)
//! digest    = keccak256(0x45 ‖ rlp[fields])          what is signed
//! envelope  = 0x45 ‖ rlp[fields, signature (64 B)]    its keccak256 is the transaction's hash
//! address   = keccak256(0x45 ‖ public_key)[12..]
//! ```

use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, B256, Bytes, Keccak256, TxKind, U256, keccak256};
use alloy_rlp::{BufMut, Decodable, Encodable, Header};

use super::TransactionError;

/// Type byte of native envelopes; also begins the preimage of digests and addresses.
pub const NATIVE_TYPE: u8 = 0x45;

/// What the owner of an Ed25519 key signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NativeTransaction {
    /// The chain that it is meant for.
    pub chain_id: u64,
    /// Number of transactions that the sender sent before.
    pub nonce: u64,
    /// Highest part of the price that goes to the beneficiary, in wei per gas.
    pub max_priority_fee: u128,
    /// Highest price, in wei per gas.
    pub max_fee: u128,
    /// Most gas that it may use.
    pub gas_limit: u64,
    /// Whom it calls, or that it creates a contract.
    pub to: TxKind,
    /// What it transfers, in wei.
    pub value: U256,
    /// Call data, or the init code of a creation.
    pub input: Bytes,
    /// Addresses and slots that are warm from the start (EIP-2930).
    pub access_list: AccessList,
    /// The sender's public key.
    pub public_key: [u8; 32],
}

/// Address of the owner of an Ed25519 key (R-TX-6).
pub fn native_address(public_key: &[u8; 32]) -> Address {
    let mut hasher = Keccak256::new();
    hasher.update([NATIVE_TYPE]);
    hasher.update(public_key);
    Address::from_word(hasher.finalize())
}

impl NativeTransaction {
    /// The digest to sign (R-TX-2).
    pub fn signing_hash(&self) -> B256 {
        let mut preimage = Vec::with_capacity(self.fields_length() + 10);
        preimage.push(NATIVE_TYPE);
        list_header(self.fields_length()).encode(&mut preimage);
        self.encode_fields(&mut preimage);
        keccak256(preimage)
    }

    /// The address that pays.
    pub fn sender(&self) -> Address {
        native_address(&self.public_key)
    }

    /// The envelope with this signature.
    pub(super) fn encode(&self, signature: &[u8; 64]) -> Vec<u8> {
        let payload_length = self.fields_length() + signature.length();
        let mut envelope = Vec::with_capacity(payload_length + 10);
        envelope.push(NATIVE_TYPE);
        list_header(payload_length).encode(&mut envelope);
        self.encode_fields(&mut envelope);
        signature.encode(&mut envelope);
        envelope
    }

    fn encode_fields(&self, out: &mut dyn BufMut) {
        self.chain_id.encode(out);
        self.nonce.encode(out);
        self.max_priority_fee.encode(out);
        self.max_fee.encode(out);
        self.gas_limit.encode(out);
        self.to.encode(out);
        self.value.encode(out);
        self.input[..].encode(out);
        self.access_list.encode(out);
        self.public_key.encode(out);
    }

    fn fields_length(&self) -> usize {
        self.chain_id.length()
            + self.nonce.length()
            + self.max_priority_fee.length()
            + self.max_fee.length()
            + self.gas_limit.length()
            + self.to.length()
            + self.value.length()
            + self.input[..].length()
            + self.access_list.length()
            + self.public_key.length()
    }
}

fn list_header(payload_length: usize) -> Header {
    Header {
        list: true,
        payload_length,
    }
}

/// Decodes what follows the type byte: the body and the signature.
pub(super) fn decode_fields(
    mut bytes: &[u8],
) -> Result<(NativeTransaction, [u8; 64]), TransactionError> {
    let payload = &mut Header::decode_bytes(&mut bytes, true)?;
    let body = NativeTransaction {
        chain_id: Decodable::decode(payload)?,
        nonce: Decodable::decode(payload)?,
        max_priority_fee: Decodable::decode(payload)?,
        max_fee: Decodable::decode(payload)?,
        gas_limit: Decodable::decode(payload)?,
        to: Decodable::decode(payload)?,
        value: Decodable::decode(payload)?,
        input: Decodable::decode(payload)?,
        access_list: Decodable::decode(payload)?,
        public_key: Decodable::decode(payload)?,
    };
    let signature = Decodable::decode(payload)?;
    match payload.len() + bytes.len() {
        0 => Ok((body, signature)),
        bytes => Err(TransactionError::TrailingBytes { bytes }),
    }
}
