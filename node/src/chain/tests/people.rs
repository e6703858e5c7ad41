//! Who pays whom in the tests: accounts that every test chain funds.

use alloy_consensus::TxEip7702;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use cairn_genesis::{
    Body, ChainSpec, GenesisAccount, NativeTransaction, Transaction, VerifiedTransaction,
    native_address,
};
use ed25519_dalek::{Signer, SigningKey};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

/// People with a native account.
pub(crate) const PEOPLE: u8 = 6;
/// Accounts with a secp256k1 key.
pub(crate) const ETHEREUM: u8 = 2;
/// Who mines.
pub(crate) const MINER: Address = Address::repeat_byte(0x33);
/// Who has nothing at first.
pub(crate) const NOBODY: Address = Address::repeat_byte(0x99);

const CHAIN_ID: u64 = 31_337;
const GWEI: u128 = 1_000_000_000;

/// The chain `dev`, where all these accounts have coins.
pub(crate) fn spec() -> ChainSpec {
    let mut spec = ChainSpec::builtin("dev").unwrap().clone();
    let balance = U256::from(10).pow(U256::from(20));
    let account = GenesisAccount {
        balance,
        ..Default::default()
    };
    for address in everybody() {
        spec.alloc.insert(address, account.clone());
    }
    spec
}

/// All accounts of the tests that have coins from the start.
pub(crate) fn everybody() -> impl Iterator<Item = Address> {
    (0..PEOPLE).map(person).chain((0..ETHEREUM).map(ethereum))
}

/// The native account of a person.
pub(crate) fn person(index: u8) -> Address {
    native_address(&key(index).verifying_key().to_bytes())
}

fn key(index: u8) -> SigningKey {
    SigningKey::from_bytes(&[index + 1; 32])
}

/// An account with a secp256k1 key, which can be delegated (EIP-7702).
pub(crate) fn ethereum(index: u8) -> Address {
    let public = PublicKey::from_secret_key(SECP256K1, &secret(index)).serialize_uncompressed();
    Address::from_word(keccak256(&public[1..]))
}

fn secret(index: u8) -> SecretKey {
    SecretKey::from_byte_array([index + 1; 32]).unwrap()
}

/// What a person pays, not signed yet: 1 gwei of tip, plenty for the base fee.
pub(crate) fn payment(from: u8, nonce: u64, to: Address, wei: u64) -> NativeTransaction {
    NativeTransaction {
        chain_id: CHAIN_ID,
        nonce,
        max_priority_fee: GWEI,
        max_fee: 100 * GWEI,
        gas_limit: 21_000,
        to: TxKind::Call(to),
        value: U256::from(wei),
        input: Bytes::new(),
        access_list: Default::default(),
        public_key: key(from).verifying_key().to_bytes(),
    }
}

/// Signs what a person pays.
pub(crate) fn sign(from: u8, body: NativeTransaction) -> VerifiedTransaction {
    let signature = key(from).sign(body.signing_hash().as_slice()).to_bytes();
    verified(Transaction::native(body, signature))
}

/// A person's payment.
pub(crate) fn pay(from: u8, nonce: u64, to: Address, wei: u64) -> VerifiedTransaction {
    sign(from, payment(from, nonce, to, wei))
}

/// A transaction by which an account with a secp256k1 key delegates itself: its nonce
/// rises by two.
pub(crate) fn delegation(by: u8, nonce: u64) -> VerifiedTransaction {
    delegating(by, nonce, vec![authorization(by, nonce + 1)])
}

/// A transaction of an account with a secp256k1 key: one wei to nobody, and these
/// authorizations.
pub(crate) fn delegating(
    by: u8,
    nonce: u64,
    authorization_list: Vec<SignedAuthorization>,
) -> VerifiedTransaction {
    let body = Body::Eip7702(TxEip7702 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 100 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: NOBODY,
        value: U256::ONE,
        access_list: Default::default(),
        authorization_list,
        input: Bytes::new(),
    });
    let signature = signature(by, body.signing_hash());
    verified(Transaction::ethereum(body, signature).unwrap())
}

/// What an account with a secp256k1 key signs to be delegated, at this nonce.
pub(crate) fn authorization(by: u8, nonce: u64) -> SignedAuthorization {
    let authorization = Authorization {
        chain_id: U256::from(CHAIN_ID),
        address: NOBODY,
        nonce,
    };
    let signature = signature(by, authorization.signature_hash());
    authorization.into_signed(signature)
}

fn signature(by: u8, digest: B256) -> Signature {
    let message = Message::from_digest(digest.0);
    let signature = SECP256K1.sign_ecdsa_recoverable(message, &secret(by));
    let (parity, bytes) = signature.serialize_compact();
    Signature::from_bytes_and_parity(&bytes, i32::from(parity) == 1)
}

fn verified(transaction: Transaction) -> VerifiedTransaction {
    VerifiedTransaction::new(transaction, CHAIN_ID).unwrap()
}
