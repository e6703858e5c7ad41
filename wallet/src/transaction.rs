//! From what a user wants done to the signed envelope that a node takes.

use std::fmt;

use alloy_consensus::{TxEip1559, TxEip2930, TxLegacy};
use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use cairn_genesis::{Body, NativeTransaction, Transaction, TransactionError, VerifiedTransaction};
use clap::ValueEnum;
use thiserror::Error;

use crate::{
    client::Call,
    key::{PrivateKey, Scheme},
    sign::Digest,
};

/// The types of transactions that this wallet sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TransactionType {
    /// Cairn's own, signed with ed25519.
    #[value(alias = "0x45")]
    Native,
    /// Ethereum's first, with a chain id (EIP-155).
    #[value(alias = "0x00")]
    Legacy,
    /// EIP-2930; the access list is left empty.
    #[value(name = "0x01", alias = "0x1")]
    Eip2930,
    /// EIP-1559.
    #[value(name = "0x02", alias = "0x2")]
    Eip1559,
}

impl TransactionType {
    /// What a key sends unless the user says otherwise.
    #[must_use]
    pub const fn of(scheme: Scheme) -> Self {
        match scheme {
            Scheme::Ed25519 => Self::Native,
            Scheme::Secp256k1 => Self::Eip1559,
        }
    }

    /// The keys that can sign it.
    #[must_use]
    pub const fn scheme(self) -> Scheme {
        match self {
            Self::Native => Scheme::Ed25519,
            Self::Legacy | Self::Eip2930 | Self::Eip1559 => Scheme::Secp256k1,
        }
    }

    /// Whether it names a highest and a priority fee, rather than one gas price.
    #[must_use]
    pub const fn has_dynamic_fee(self) -> bool {
        matches!(self, Self::Native | Self::Eip1559)
    }

    /// The type's number, as nodes report it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Native => cairn_genesis::NATIVE_TYPE,
            Self::Legacy => 0,
            Self::Eip2930 => 1,
            Self::Eip1559 => 2,
        }
    }
}

impl fmt::Display for TransactionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native (0x45)",
            Self::Legacy => "legacy",
            Self::Eip2930 => "0x01",
            Self::Eip1559 => "0x02",
        })
    }
}

/// A payment, call or creation with every number settled, before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The type of transaction to make.
    pub kind: TransactionType,
    /// The chain that it is valid on.
    pub chain_id: u64,
    /// Number of transactions that the sender sent before.
    pub nonce: u64,
    /// Who gets it, or that it creates a contract.
    pub to: TxKind,
    /// Amount in wei.
    pub value: U256,
    /// Call data or creation code.
    pub data: Bytes,
    /// Most gas that it may use.
    pub gas_limit: u64,
    /// Highest price of a unit of gas in wei; the price itself where there is only one.
    pub max_fee: u128,
    /// Part of it that the miner keeps at most; ignored where there is only one price.
    pub priority_fee: u128,
}

/// Why a payment cannot be signed.
#[derive(Debug, Error)]
pub enum PaymentError {
    /// The key is of the other scheme.
    #[error("a transaction of type {kind} needs a key of {}, but this account's is {got}; leave --type out", kind.scheme())]
    Scheme {
        /// The type asked for.
        kind: TransactionType,
        /// The key's scheme.
        got: Scheme,
    },
    /// The finished transaction breaks a rule of the chain.
    #[error("no node would accept this transaction: {0}")]
    Rule(#[from] TransactionError),
    /// The finished transaction names another sender than the key's owner.
    #[error(
        "signing went wrong: the transaction would be sent by {got} instead of {expected}; nothing was sent, check this machine's memory"
    )]
    Sender {
        /// The sender that a node would see.
        got: Address,
        /// The owner of the key.
        expected: Address,
    },
}

impl Payment {
    /// The most that it can cost beside the amount, in wei.
    #[must_use]
    pub fn max_cost(&self) -> U256 {
        U256::from(self.gas_limit).saturating_mul(U256::from(self.max_fee))
    }

    /// Amount and highest cost together, in wei.
    #[must_use]
    pub fn max_total(&self) -> U256 {
        self.value.saturating_add(self.max_cost())
    }

    /// The same as a question to a node: what would it do, with so much gas?
    #[must_use]
    pub fn call(&self, from: Address, gas: Option<u64>) -> Call {
        Call {
            from: Some(from),
            to: self.to,
            value: self.value,
            data: self.data.clone(),
            gas,
        }
    }

    /// Signs it, and checks the result exactly as a node will.
    ///
    /// # Errors
    /// [`PaymentError`].
    pub fn sign(&self, key: &PrivateKey) -> Result<VerifiedTransaction, PaymentError> {
        if self.kind.scheme() != key.scheme() {
            return Err(PaymentError::Scheme {
                kind: self.kind,
                got: key.scheme(),
            });
        }
        let transaction = match self.kind {
            TransactionType::Native => self.sign_native(key),
            TransactionType::Legacy => sign_ethereum(key, self.legacy())?,
            TransactionType::Eip2930 => sign_ethereum(key, self.eip2930())?,
            TransactionType::Eip1559 => sign_ethereum(key, self.eip1559())?,
        };
        let verified = VerifiedTransaction::new(transaction, self.chain_id)?;
        let (got, expected) = (verified.sender(), key.address());
        if got != expected {
            return Err(PaymentError::Sender { got, expected });
        }
        Ok(verified)
    }

    fn sign_native(&self, key: &PrivateKey) -> Transaction {
        let body = NativeTransaction {
            chain_id: self.chain_id,
            nonce: self.nonce,
            max_priority_fee: self.priority_fee,
            max_fee: self.max_fee,
            gas_limit: self.gas_limit,
            to: self.to,
            value: self.value,
            input: self.data.clone(),
            access_list: AccessList::default(),
            public_key: key.ed25519().verifying_key().to_bytes(),
        };
        let signature = key.sign_ed25519(Digest::native(&body));
        Transaction::native(body, signature)
    }

    fn legacy(&self) -> TxLegacy {
        TxLegacy {
            chain_id: Some(self.chain_id),
            nonce: self.nonce,
            gas_price: self.max_fee,
            gas_limit: self.gas_limit,
            to: self.to,
            value: self.value,
            input: self.data.clone(),
        }
    }

    fn eip2930(&self) -> TxEip2930 {
        TxEip2930 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_price: self.max_fee,
            gas_limit: self.gas_limit,
            to: self.to,
            value: self.value,
            access_list: AccessList::default(),
            input: self.data.clone(),
        }
    }

    fn eip1559(&self) -> TxEip1559 {
        TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit: self.gas_limit,
            max_fee_per_gas: self.max_fee,
            max_priority_fee_per_gas: self.priority_fee,
            to: self.to,
            value: self.value,
            access_list: AccessList::default(),
            input: self.data.clone(),
        }
    }
}

fn sign_ethereum<T>(key: &PrivateKey, body: T) -> Result<Transaction, TransactionError>
where
    T: alloy_consensus::SignableTransaction<alloy_primitives::Signature> + Into<Body>,
{
    let signature = key.sign_secp256k1(Digest::ethereum(&body));
    Transaction::ethereum(body, signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;
    use proptest::prelude::*;

    fn payment(kind: TransactionType) -> Payment {
        Payment {
            kind,
            chain_id: 31337,
            nonce: 7,
            to: TxKind::Call(Address::repeat_byte(0x35)),
            value: U256::from(1_000_000_000_000_000_000_u64),
            data: Bytes::new(),
            gas_limit: 21_000,
            max_fee: 20_000_000_000,
            priority_fee: 1_000_000_000,
        }
    }

    fn key(scheme: Scheme) -> PrivateKey {
        PrivateKey::from_bytes(scheme, &[0x46; 32]).unwrap()
    }

    /// The example of EIP-155, to the byte.
    #[test]
    fn eip_155_example() {
        let payment = Payment {
            chain_id: 1,
            nonce: 9,
            ..payment(TransactionType::Legacy)
        };
        let signed = payment.sign(&key(Scheme::Secp256k1)).unwrap();
        assert_eq!(
            hex::encode(signed.envelope()),
            "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
        );
    }

    #[test]
    fn the_wrong_key_is_refused() {
        for (kind, scheme) in [
            (TransactionType::Native, Scheme::Secp256k1),
            (TransactionType::Eip1559, Scheme::Ed25519),
            (TransactionType::Legacy, Scheme::Ed25519),
        ] {
            let refused = payment(kind).sign(&key(scheme));
            assert!(
                matches!(refused, Err(PaymentError::Scheme { .. })),
                "{kind}"
            );
        }
    }

    #[test]
    fn a_transaction_that_no_node_would_take_is_not_made() {
        let poor = Payment {
            gas_limit: 20_999,
            ..payment(TransactionType::Native)
        };
        assert!(matches!(
            poor.sign(&key(Scheme::Ed25519)),
            Err(PaymentError::Rule(_))
        ));
        let upside_down = Payment {
            priority_fee: u128::MAX,
            ..payment(TransactionType::Eip1559)
        };
        assert!(matches!(
            upside_down.sign(&key(Scheme::Secp256k1)),
            Err(PaymentError::Rule(_))
        ));
    }

    #[test]
    fn cost_does_not_overflow() {
        let huge = Payment {
            gas_limit: u64::MAX,
            max_fee: u128::MAX,
            value: U256::MAX,
            ..payment(TransactionType::Native)
        };
        assert_eq!(huge.max_total(), U256::MAX);
    }

    #[test]
    fn every_type_can_create_a_contract() {
        use TransactionType::{Eip1559, Eip2930, Legacy, Native};
        for kind in [Native, Legacy, Eip2930, Eip1559] {
            let creation = Payment {
                to: TxKind::Create,
                data: Bytes::from_static(&[0x60, 0, 0x60, 0, 0xf3]),
                gas_limit: 100_000,
                ..payment(kind)
            };
            let signed = creation.sign(&key(kind.scheme())).unwrap();
            let read = Transaction::decode(signed.envelope()).unwrap();
            assert_eq!((read.to(), read.input()), (TxKind::Create, &creation.data));
            let poor = Payment {
                gas_limit: 53_000,
                ..creation
            };
            assert!(
                matches!(poor.sign(&key(kind.scheme())), Err(PaymentError::Rule(_))),
                "{kind}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_type_reads_back_as_signed(nonce in 0..u64::MAX, value: [u64; 4], max_fee: u128, chain_id in 1..(u64::MAX / 4)) {
            for kind in [TransactionType::Native, TransactionType::Legacy, TransactionType::Eip2930, TransactionType::Eip1559] {
                let payment = Payment {
                    nonce, max_fee, chain_id, value: U256::from_limbs(value), priority_fee: max_fee / 2, ..payment(kind)
                };
                let signed = payment.sign(&key(kind.scheme())).unwrap();
                let read = Transaction::decode(signed.envelope()).unwrap();
                prop_assert_eq!(read.hash(), signed.hash());
                prop_assert_eq!((read.tx_type(), read.nonce(), read.value()), (kind.number(), nonce, payment.value));
                prop_assert_eq!((read.max_fee(), read.chain_id()), (max_fee, chain_id));
            }
        }
    }
}
