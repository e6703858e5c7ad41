//! The accounts of the well-known test mnemonic, and their signatures.

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Signature, TxKind, U256, keccak256};
use cairn_genesis::{Body, NativeTransaction, Transaction, native_address};
use cairn_node::node::dev_accounts;
use ed25519_dalek::{Signer, SigningKey};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

use super::DEV;

/// 10^9 wei.
pub const GWEI: u128 = 1_000_000_000;

/// Keys at `m/44'/60'/0'/0'/i'` (SLIP-0010) of `test test … junk`.
const NATIVE_KEYS: [&str; 5] = [
    "0728a1a2b488fdfe677ebe6de2558f251d7263f311bc0a57cd02b32f69878c5a",
    "6466f86250335de4efd1178783353f5951e3d6e02983712f1c235dd4977f7785",
    "4921be2adf564311f9ecacc5932cb97134c29df6ffa2a8a02b19ff9b69710f0d",
    "5b9cd29bba4bbe9b4df47df15625304f19dfc4f281d399484a06f082b61755ce",
    "32fd8dd07b4015556004187da57f609d7f5600ff9776ce7f98cf27cacc58e80f",
];

/// An account and its key.
#[derive(Clone)]
pub struct Account {
    /// Its address.
    pub address: Address,
    key: Key,
}

#[derive(Clone)]
enum Key {
    Secp256k1(SecretKey),
    Ed25519(SigningKey),
}

/// A payment of coins alone.
#[derive(Clone, Copy)]
pub struct Transfer {
    /// Whom it is for.
    pub to: Address,
    /// Wei.
    pub value: u64,
    /// The sender's nonce.
    pub nonce: u64,
    /// Wei per gas.
    pub max_fee: u128,
    /// Wei per gas.
    pub tip: u128,
    /// The chain.
    pub chain_id: u64,
}

/// A secp256k1 account that `dev` and `devnet` fund, 0 to 9.
pub fn secp256k1(index: usize) -> Account {
    let known = dev_accounts()[index];
    let secret = SecretKey::from_byte_array(known.key.0).unwrap();
    let public = PublicKey::from_secret_key_global(&secret).serialize_uncompressed();
    Account {
        address: Address::from_word(keccak256(&public[1..])),
        key: Key::Secp256k1(secret),
    }
}

/// An Ed25519 account that `dev` and `devnet` fund, 0 to 4.
pub fn native(index: usize) -> Account {
    let seed: B256 = NATIVE_KEYS[index].parse().unwrap();
    let key = SigningKey::from_bytes(&seed.0);
    Account {
        address: native_address(key.verifying_key().as_bytes()),
        key: Key::Ed25519(key),
    }
}

impl Transfer {
    /// A payment on `dev` that pays well enough for any block.
    pub fn new(to: Address, value: u64, nonce: u64) -> Self {
        Self {
            to,
            value,
            nonce,
            max_fee: 10 * GWEI,
            tip: GWEI,
            chain_id: DEV,
        }
    }
}

impl Account {
    /// The signed payment, of the account's usual type (0x45 or 0x02).
    pub fn pay(&self, transfer: Transfer) -> Transaction {
        let Transfer {
            to,
            value,
            nonce,
            max_fee,
            tip,
            chain_id,
        } = transfer;
        let (to, value, gas_limit) = (TxKind::Call(to), U256::from(value), 21_000);
        match &self.key {
            Key::Ed25519(_) => self.sign(NativeTransaction {
                chain_id,
                nonce,
                max_priority_fee: tip,
                max_fee,
                gas_limit,
                to,
                value,
                input: Default::default(),
                access_list: Default::default(),
                public_key: self.public_key(),
            }),
            Key::Secp256k1(_) => self.sign(TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: max_fee,
                max_priority_fee_per_gas: tip,
                to,
                value,
                ..Default::default()
            }),
        }
    }

    /// Signs any body that goes with the kind of key.
    pub fn sign(&self, body: impl Into<Body>) -> Transaction {
        let body = body.into();
        let digest = body.signing_hash();
        match body {
            Body::Native(native) => Transaction::native(native, self.ed25519(digest.as_slice())),
            other => Transaction::ethereum(other, self.secp256k1(digest)).unwrap(),
        }
    }

    /// An Ed25519 account's signature.
    pub fn ed25519(&self, message: &[u8]) -> [u8; 64] {
        match &self.key {
            Key::Ed25519(key) => key.sign(message).to_bytes(),
            Key::Secp256k1(_) => panic!("{} is no Ed25519 account", self.address),
        }
    }

    /// An Ed25519 account's public key.
    pub fn public_key(&self) -> [u8; 32] {
        match &self.key {
            Key::Ed25519(key) => key.verifying_key().to_bytes(),
            Key::Secp256k1(_) => panic!("{} is no Ed25519 account", self.address),
        }
    }

    /// A secp256k1 account's signature.
    pub fn secp256k1(&self, digest: B256) -> Signature {
        let Key::Secp256k1(key) = &self.key else {
            panic!("{} is no secp256k1 account", self.address);
        };
        let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest.0), key);
        let (parity, bytes) = signature.serialize_compact();
        let r = U256::from_be_slice(&bytes[..32]);
        let s = U256::from_be_slice(&bytes[32..]);
        Signature::new(r, s, i32::from(parity) == 1)
    }
}
