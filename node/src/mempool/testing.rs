//! What the tests of the pool share: keys, signed transactions, and a ledger of accounts.

use std::collections::BTreeMap;

use alloy_consensus::{TxEip1559, TxEip7702};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use cairn_genesis::{Body, NativeTransaction, Transaction, VerifiedTransaction};
use ed25519_dalek::{Signer, SigningKey};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

use super::{
    AccountCode, Accounts, AdmitError, Admitted, Changes, DropReason, Limits, Mempool, Refusal,
    SenderState, Tip, TipChange,
};

pub(super) const CHAIN_ID: u64 = 31_337;
pub(super) const TIP: Tip = Tip {
    number: 100,
    base_fee: 10,
    gas_limit: 30_000_000,
};

/// The native account number `n` of the tests.
pub(super) fn native(n: u8) -> Address {
    cairn_genesis::native_address(&native_key(n).verifying_key().to_bytes())
}

fn native_key(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n + 1; 32])
}

/// The secp256k1 account number `n` of the tests.
pub(super) fn ethereum(n: u8) -> Address {
    let public_key = PublicKey::from_secret_key(SECP256K1, &ethereum_key(n));
    Address::from_word(keccak256(&public_key.serialize_uncompressed()[1..]))
}

fn ethereum_key(n: u8) -> SecretKey {
    SecretKey::from_byte_array([n + 1; 32]).expect("a scalar below the order")
}

fn sign(n: u8, digest: B256) -> Signature {
    let signature =
        SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest.0), &ethereum_key(n));
    let (parity, bytes) = signature.serialize_compact();
    Signature::from_bytes_and_parity(&bytes, i32::from(parity) == 1)
}

/// An authorization of secp256k1 account `n` that delegates it.
pub(super) fn authorization(n: u8, nonce: u64) -> SignedAuthorization {
    let chain_id = U256::from(CHAIN_ID);
    let authorization = Authorization {
        chain_id,
        address: Address::repeat_byte(0xde),
        nonce,
    };
    let signature = sign(n, authorization.signature_hash());
    authorization.into_signed(signature)
}

/// A transaction to be signed. The default costs at most 21,000 × 20 wei.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) nonce: u64,
    pub(super) max_fee: u128,
    pub(super) tip: u128,
    pub(super) gas_limit: u64,
    pub(super) value: U256,
    pub(super) input_bytes: usize,
}

pub(super) fn draft(nonce: u64) -> Draft {
    Draft {
        nonce,
        max_fee: 20,
        tip: 5,
        gas_limit: 21_000,
        value: U256::ZERO,
        input_bytes: 0,
    }
}

/// What [`draft`] costs at most.
pub(super) const DRAFT_COST: u64 = 21_000 * 20;

impl Draft {
    pub(super) fn fees(mut self, max_fee: u128, tip: u128) -> Self {
        (self.max_fee, self.tip) = (max_fee, tip);
        self
    }

    pub(super) fn value(mut self, value: u64) -> Self {
        self.value = U256::from(value);
        self
    }

    pub(super) fn gas(mut self, gas_limit: u64) -> Self {
        self.gas_limit = gas_limit;
        self
    }

    /// Adds input, and the gas that it takes.
    pub(super) fn input(mut self, bytes: usize) -> Self {
        self.input_bytes = bytes;
        self.gas_limit = 21_000 + 40 * u64::try_from(bytes).expect("fits 64 bits");
        self
    }

    fn input_of_ones(&self) -> Bytes {
        vec![1; self.input_bytes].into()
    }

    /// Signed by native account `n`.
    pub(super) fn by(&self, n: u8) -> VerifiedTransaction {
        let key = native_key(n);
        let body = NativeTransaction {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            max_priority_fee: self.tip,
            max_fee: self.max_fee,
            gas_limit: self.gas_limit,
            to: TxKind::Call(Address::ZERO),
            value: self.value,
            input: self.input_of_ones(),
            access_list: Default::default(),
            public_key: key.verifying_key().to_bytes(),
        };
        let signature = key.sign(body.signing_hash().as_slice()).to_bytes();
        verified(Transaction::native(body, signature))
    }

    /// Signed by secp256k1 account `n`.
    pub(super) fn by_ethereum(&self, n: u8) -> VerifiedTransaction {
        self.signed_by_ethereum(
            n,
            Body::Eip1559(TxEip1559 {
                chain_id: CHAIN_ID,
                nonce: self.nonce,
                gas_limit: self.gas_limit,
                max_fee_per_gas: self.max_fee,
                max_priority_fee_per_gas: self.tip,
                to: TxKind::Call(Address::ZERO),
                value: self.value,
                access_list: Default::default(),
                input: self.input_of_ones(),
            }),
        )
    }

    /// Signed by secp256k1 account `n`, carrying authorizations.
    pub(super) fn delegating(
        &self,
        n: u8,
        authorizations: Vec<SignedAuthorization>,
    ) -> VerifiedTransaction {
        self.signed_by_ethereum(
            n,
            Body::Eip7702(TxEip7702 {
                chain_id: CHAIN_ID,
                nonce: self.nonce,
                gas_limit: 21_000
                    + 25_000 * u64::try_from(authorizations.len()).expect("fits 64 bits"),
                max_fee_per_gas: self.max_fee,
                max_priority_fee_per_gas: self.tip,
                to: Address::ZERO,
                value: self.value,
                access_list: Default::default(),
                authorization_list: authorizations,
                input: Bytes::new(),
            }),
        )
    }

    fn signed_by_ethereum(&self, n: u8, body: Body) -> VerifiedTransaction {
        let signature = sign(n, body.signing_hash());
        verified(Transaction::ethereum(body, signature).expect("signed for a chain id"))
    }
}

fn verified(transaction: Transaction) -> VerifiedTransaction {
    VerifiedTransaction::new(transaction, CHAIN_ID).expect("a valid signature")
}

/// The store failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the disk does not answer")]
pub(super) struct Broken;

/// The accounts at the tip. Accounts that are not named have nonce 0 and plenty of money.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    pub(super) accounts: BTreeMap<Address, SenderState>,
    pub(super) broken: bool,
}

impl Ledger {
    pub(super) fn at(&mut self, address: Address) -> &mut SenderState {
        self.accounts.entry(address).or_insert(RICH)
    }
}

const RICH: SenderState = SenderState {
    nonce: 0,
    balance: U256::from_limbs([0, 0, 1, 0]),
    code: AccountCode::None,
};

impl Accounts for Ledger {
    type Error = Broken;

    fn sender_state(&self, address: Address) -> Result<SenderState, Broken> {
        if self.broken {
            return Err(Broken);
        }
        Ok(self.accounts.get(&address).copied().unwrap_or(RICH))
    }
}

/// A pool together with the ledger that it follows.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) pool: Mempool,
    pub(super) ledger: Ledger,
    pub(super) now_ms: u64,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(super) fn with_limits(limits: Limits) -> Self {
        Self {
            pool: Mempool::new(limits, TIP),
            ledger: Ledger::default(),
            now_ms: 1_000,
        }
    }

    pub(super) fn admit(&mut self, transaction: &VerifiedTransaction) -> Result<Admitted, Refusal> {
        let result = self
            .pool
            .admit(self.now_ms, transaction.clone(), &self.ledger);
        self.pool.assert_consistent();
        result.map_err(|error| match error {
            AdmitError::Refused(refusal) => refusal,
            AdmitError::Accounts(broken) => panic!("{broken}"),
        })
    }

    /// Admits something that has to enter without pushing anything out.
    pub(super) fn enter(&mut self, transaction: &VerifiedTransaction) -> B256 {
        assert_eq!(self.admit(transaction), Ok(Admitted::default()));
        transaction.hash()
    }

    /// Moves to `tip`, where the accounts of `changed` are what the ledger says.
    pub(super) fn move_to(
        &mut self,
        tip: Tip,
        mined: &[B256],
        returned: &[VerifiedTransaction],
        changed: &[Address],
    ) -> Changes {
        let change = TipChange {
            tip,
            mined,
            returned: returned.to_vec(),
            changed,
        };
        let changes = self
            .pool
            .tip_changed(self.now_ms, change, &self.ledger)
            .expect("the ledger can be read");
        self.pool.assert_consistent();
        changes
    }

    /// Sets an account, as if a block had done it.
    pub(super) fn set(
        &mut self,
        address: Address,
        change: impl FnOnce(&mut SenderState),
    ) -> Changes {
        change(self.ledger.at(address));
        self.move_to(self.pool.tip(), &[], &[], &[address])
    }

    /// Moves to a tip with another base fee.
    pub(super) fn set_base_fee(&mut self, base_fee: u64) -> Changes {
        let tip = Tip {
            base_fee,
            ..self.pool.tip()
        };
        self.move_to(tip, &[], &[], &[])
    }

    pub(super) fn best(&self) -> Vec<B256> {
        self.pool
            .best(self.pool.tip().base_fee)
            .map(|transaction| transaction.hash())
            .collect()
    }
}

/// The hashes that were dropped, with the reasons.
pub(super) fn reasons(changes: &Changes) -> BTreeMap<B256, DropReason> {
    changes.dropped.iter().cloned().collect()
}
