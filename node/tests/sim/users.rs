//! People who send coins, some of them twice.

use alloy_primitives::{Address, Bytes, TxKind, U256};
use cairn_genesis::{NativeTransaction, Transaction, VerifiedTransaction, native_address};
use ed25519_dalek::Signer;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::spec::{ACCOUNTS, key};

/// A transfer by account `index` with this nonce to somebody.
pub fn transfer(rng: &mut ChaCha8Rng, chain_id: u64, index: u8, nonce: u64) -> VerifiedTransaction {
    let key = key(index);
    let body = NativeTransaction {
        chain_id,
        nonce,
        max_priority_fee: u128::from(rng.random_range(1..1_000_000_000u64)),
        max_fee: 50_000_000_000,
        gas_limit: 21_000,
        to: TxKind::Call(receiver(rng)),
        value: U256::from(rng.random_range(0..1_000_000_000_000_000u64)),
        input: Bytes::new(),
        access_list: Default::default(),
        public_key: *key.verifying_key().as_bytes(),
    };
    let signature = key.sign(body.signing_hash().as_slice()).to_bytes();
    let transaction = Transaction::native(body, signature);
    VerifiedTransaction::new(transaction, chain_id).expect("a valid signature")
}

/// Who sends.
pub fn account(rng: &mut ChaCha8Rng) -> (u8, Address) {
    let index = rng.random_range(0..ACCOUNTS);
    (index, native_address(key(index).verifying_key().as_bytes()))
}

fn receiver(rng: &mut ChaCha8Rng) -> Address {
    Address::with_last_byte(rng.random_range(1..=255)).create(7)
}
