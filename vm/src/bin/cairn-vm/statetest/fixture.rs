//! The format of state-test fixtures, as `ethereum/execution-spec-tests` and `ethereum/tests` write them.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256};
use serde::{Deserialize, Deserializer, de::Error};

use crate::world::{self, World};

/// A file: fixtures by name.
pub type Fixtures = BTreeMap<String, Fixture>;

/// A state, a block, transactions that differ in three parts, and what comes of them.
#[derive(Debug, Deserialize)]
pub struct Fixture {
    pub env: Env,
    pub pre: BTreeMap<Address, Account>,
    pub transaction: Transaction,
    /// Results by fork.
    pub post: BTreeMap<String, Vec<Post>>,
    #[serde(default)]
    pub config: Config,
}

/// The block.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Env {
    pub current_coinbase: Address,
    pub current_gas_limit: U64,
    pub current_number: U64,
    pub current_timestamp: U64,
    pub current_random: Option<B256>,
    #[serde(default)]
    pub current_base_fee: U64,
    #[serde(default)]
    pub current_excess_blob_gas: U64,
}

/// An account before or after.
#[derive(Debug, Deserialize)]
pub struct Account {
    pub nonce: U64,
    pub balance: U256,
    pub code: Bytes,
    pub storage: BTreeMap<U256, U256>,
}

/// The fields that all transactions of a fixture share, and the lists of those in which they differ.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    pub sender: Address,
    pub nonce: Quantity,
    #[serde(deserialize_with = "target")]
    pub to: TxKind,
    pub data: Vec<Bytes>,
    pub gas_limit: Vec<Quantity>,
    pub value: Vec<Quantity>,
    pub gas_price: Option<Quantity>,
    pub max_fee_per_gas: Option<Quantity>,
    pub max_priority_fee_per_gas: Option<Quantity>,
    /// One list for each element of `data`.
    #[serde(default)]
    pub access_lists: Vec<Option<Vec<AccessListItem>>>,
    pub authorization_list: Option<Vec<Authorization>>,
    /// What only blob transactions have.
    pub blob_versioned_hashes: Option<Vec<B256>>,
}

/// An account of an access list, with slots.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessListItem {
    pub address: Address,
    pub storage_keys: Vec<U256>,
}

/// A signed authorization. The `signer` that fixtures name as well is not read: it is recovered.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    pub chain_id: Quantity,
    pub address: Address,
    pub nonce: Quantity,
    /// Some fixtures call it `v`, others give both.
    pub y_parity: Option<Quantity>,
    pub v: Option<Quantity>,
    pub r: Quantity,
    pub s: Quantity,
}

/// What comes of one of the transactions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Post {
    /// Root of the state.
    pub hash: B256,
    /// keccak-256 of the RLP of all logs.
    pub logs: B256,
    pub indexes: Indexes,
    /// Why the transaction must be refused, if it must.
    pub expect_exception: Option<String>,
    /// The whole state, where the fixture has it.
    pub state: Option<BTreeMap<Address, Account>>,
    /// The signed transaction.
    #[serde(default)]
    pub txbytes: Bytes,
}

/// Which of the transactions.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub struct Indexes {
    pub data: usize,
    pub gas: usize,
    pub value: usize,
}

/// The chain.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    #[serde(default = "mainnet")]
    pub chainid: U64,
    #[serde(default)]
    pub blob_schedule: BTreeMap<String, BlobSchedule>,
}

/// Blob parameters of a fork (EIP-7840).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlobSchedule {
    pub base_fee_update_fraction: U64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            chainid: mainnet(),
            blob_schedule: BTreeMap::new(),
        }
    }
}

fn mainnet() -> U64 {
    U64::ONE
}

/// A number of a transaction. Some fixtures try what no transaction can hold: then it is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantity(pub Option<U256>);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The mark that ethereum/tests put before numbers that are too large.
        let digits = text
            .trim_start_matches("0x:bigint ")
            .trim_start_matches("0x");
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(D::Error::custom(format!(
                "{text:?} is no hexadecimal number"
            )));
        }
        Ok(Self(U256::from_str_radix(digits, 16).ok()))
    }
}

fn target<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TxKind, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    if text.is_empty() {
        return Ok(TxKind::Create);
    }
    let address = text.parse::<Address>();
    address
        .map(TxKind::Call)
        .map_err(|error| D::Error::custom(format!("to: {error}")))
}

/// The state that a fixture describes.
pub fn world(accounts: &BTreeMap<Address, Account>) -> World {
    let accounts = accounts.iter().map(|(address, account)| {
        let account = world::Account {
            nonce: account.nonce.to(),
            balance: account.balance,
            code: account.code.clone(),
            storage: account.storage.clone(),
        };
        (*address, account)
    });
    accounts.collect()
}
