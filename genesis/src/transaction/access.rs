//! The fields that all types share, whatever they are called in each.

use alloy_eips::{eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_primitives::{Bytes, TxKind, U256};

use super::{Body, Transaction, native::NATIVE_TYPE};

static NO_ACCESS_LIST: AccessList = AccessList(Vec::new());

/// Reads the same field from every type of body.
macro_rules! each {
    ($body:expr, $tx:ident => $field:expr) => {
        match $body {
            Body::Native($tx) => $field,
            Body::Legacy($tx) => $field,
            Body::Eip2930($tx) => $field,
            Body::Eip1559($tx) => $field,
            Body::Eip7702($tx) => $field,
        }
    };
}

impl Transaction {
    /// Type of the envelope; 0 for legacy.
    pub fn tx_type(&self) -> u8 {
        match self.body() {
            Body::Legacy(_) => 0x00,
            Body::Eip2930(_) => 0x01,
            Body::Eip1559(_) => 0x02,
            Body::Eip7702(_) => 0x04,
            Body::Native(_) => NATIVE_TYPE,
        }
    }

    /// The chain that the transaction was signed for.
    pub fn chain_id(&self) -> u64 {
        match self.body() {
            Body::Native(tx) => tx.chain_id,
            Body::Legacy(tx) => tx
                .chain_id
                .expect("neither the decoder nor the constructor accept a body without one"),
            Body::Eip2930(tx) => tx.chain_id,
            Body::Eip1559(tx) => tx.chain_id,
            Body::Eip7702(tx) => tx.chain_id,
        }
    }

    /// Number of transactions that the sender sent before this one.
    pub fn nonce(&self) -> u64 {
        each!(self.body(), tx => tx.nonce)
    }

    /// Most gas that it may use, paid in advance.
    pub fn gas_limit(&self) -> u64 {
        each!(self.body(), tx => tx.gas_limit)
    }

    /// Highest price per gas, base fee included, in wei: the gas price of legacy and `0x01`.
    pub fn max_fee(&self) -> u128 {
        match self.body() {
            Body::Native(tx) => tx.max_fee,
            Body::Legacy(tx) => tx.gas_price,
            Body::Eip2930(tx) => tx.gas_price,
            Body::Eip1559(tx) => tx.max_fee_per_gas,
            Body::Eip7702(tx) => tx.max_fee_per_gas,
        }
    }

    /// Highest part of the price that goes to the beneficiary, in wei per gas: the gas price of
    /// legacy and `0x01`.
    pub fn max_priority_fee(&self) -> u128 {
        match self.body() {
            Body::Native(tx) => tx.max_priority_fee,
            Body::Legacy(tx) => tx.gas_price,
            Body::Eip2930(tx) => tx.gas_price,
            Body::Eip1559(tx) => tx.max_priority_fee_per_gas,
            Body::Eip7702(tx) => tx.max_priority_fee_per_gas,
        }
    }

    /// Whether the type names the two fees separately (EIP-1559).
    pub fn is_dynamic_fee(&self) -> bool {
        !matches!(self.body(), Body::Legacy(_) | Body::Eip2930(_))
    }

    /// Whom it calls, or that it creates a contract.
    pub fn to(&self) -> TxKind {
        match self.body() {
            Body::Native(tx) => tx.to,
            Body::Legacy(tx) => tx.to,
            Body::Eip2930(tx) => tx.to,
            Body::Eip1559(tx) => tx.to,
            Body::Eip7702(tx) => TxKind::Call(tx.to),
        }
    }

    /// What it transfers, in wei.
    pub fn value(&self) -> U256 {
        each!(self.body(), tx => tx.value)
    }

    /// Call data, or the init code of a creation.
    pub fn input(&self) -> &Bytes {
        each!(self.body(), tx => &tx.input)
    }

    /// Addresses and slots that are warm from the start (EIP-2930); empty for legacy.
    pub fn access_list(&self) -> &AccessList {
        match self.body() {
            Body::Native(tx) => &tx.access_list,
            Body::Legacy(_) => &NO_ACCESS_LIST,
            Body::Eip2930(tx) => &tx.access_list,
            Body::Eip1559(tx) => &tx.access_list,
            Body::Eip7702(tx) => &tx.access_list,
        }
    }

    /// The delegations of a `0x04` transaction (EIP-7702); empty for any other.
    pub fn authorizations(&self) -> &[SignedAuthorization] {
        match self.body() {
            Body::Eip7702(tx) => &tx.authorization_list,
            _ => &[],
        }
    }

    /// Price per gas that the sender pays at this base fee: `min(max_fee, base_fee +
    /// max_priority_fee)`. Meaningful only if `max_fee ≥ base_fee`.
    pub fn effective_gas_price(&self, base_fee: u64) -> u128 {
        let with_tip = u128::from(base_fee).saturating_add(self.max_priority_fee());
        self.max_fee().min(with_tip)
    }

    /// Part of the effective price that goes to the beneficiary, or `None` if the transaction does
    /// not pay the base fee.
    pub fn effective_tip(&self, base_fee: u64) -> Option<u128> {
        let room = self.max_fee().checked_sub(u128::from(base_fee))?;
        Some(room.min(self.max_priority_fee()))
    }
}
