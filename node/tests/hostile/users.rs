//! Accounts and their payments.

use alloy_primitives::{Address, Bytes, TxKind, U256};
use cairn_genesis::{NativeTransaction, Transaction, native_address};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::json;

use super::node::Rpc;
use super::stage::Target;
use super::wait::wait_for;

/// 10^9 wei.
const GWEI: u128 = 1_000_000_000;

/// Accounts with coins: enough to fill the pool, which takes 64 transactions of each.
pub const FUNDED: usize = 170;

/// The one among them that nobody else uses.
const HONEST: usize = FUNDED;

/// An account with its key.
#[derive(Clone)]
pub struct User(SigningKey);

/// A transaction to be signed.
#[derive(Debug, Clone)]
pub struct Draft {
    pub chain_id: u64,
    pub nonce: u64,
    pub tip: u128,
    pub gas_limit: u64,
    pub input: Bytes,
}

impl User {
    /// One of all there can be; those up to [`FUNDED`] have coins.
    pub fn new(number: usize) -> Self {
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        Self(SigningKey::from_bytes(&seed))
    }

    fn address(&self) -> Address {
        native_address(self.0.verifying_key().as_bytes())
    }

    /// Signs a payment of nothing to nobody.
    pub fn sign(&self, draft: &Draft) -> Transaction {
        let body = NativeTransaction {
            chain_id: draft.chain_id,
            nonce: draft.nonce,
            max_priority_fee: draft.tip,
            max_fee: 1_000 * GWEI,
            gas_limit: draft.gas_limit,
            to: TxKind::Call(Address::repeat_byte(9)),
            value: U256::ZERO,
            input: draft.input.clone(),
            access_list: Default::default(),
            public_key: self.0.verifying_key().to_bytes(),
        };
        let digest = cairn_genesis::Body::Native(body.clone()).signing_hash();
        Transaction::native(body, self.0.sign(digest.as_slice()).to_bytes())
    }
}

impl Draft {
    /// A plain payment.
    pub fn new(target: &Target, nonce: u64) -> Self {
        Self {
            chain_id: target.spec.chain_id,
            nonce,
            tip: GWEI,
            gas_limit: 21_000,
            input: Bytes::new(),
        }
    }
}

/// The addresses that have coins.
pub fn funded() -> impl Iterator<Item = Address> {
    (0..=HONEST).map(|number| User::new(number).address())
}

/// Hands an honest payment to one node, and waits until the other, which mines, has mined it.
#[track_caller]
pub fn pay_and_see(rpc: &Rpc, target: &Target) {
    let draft = Draft {
        tip: 100 * GWEI,
        ..Draft::new(target, 0)
    };
    let payment = User::new(HONEST).sign(&draft);
    rpc.call("eth_sendRawTransaction", json!([payment.envelope()]));
    wait_for("an honest payment in a block", || {
        let params = json!([payment.hash()]);
        let receipt = target.rpc.call("eth_getTransactionReceipt", params);
        (!receipt.is_null()).then_some(())
    });
}
