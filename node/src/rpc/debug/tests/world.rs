//! A state of a few accounts, and calls in it that are traced.

use std::collections::HashMap;

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, TxKind, U256, keccak256};
use cairn_vm::{AccountInfo, BlockEnv, CallRequest, State};
use serde_json::{Value, json};

use super::super::session::Session;
use super::{CONTRACT, MINER, SENDER};
use crate::rpc::error::RpcError;
use crate::rpc::machines::Machines;
use crate::store::StoreError;

/// Gas of a call that does not say; 21,000 of it are paid for being one.
pub const GAS: u64 = 100_000;

/// Accounts, code and storage.
#[derive(Default)]
pub struct World {
    accounts: HashMap<Address, AccountInfo>,
    code: HashMap<B256, Bytes>,
    storage: HashMap<(Address, U256), U256>,
}

impl World {
    /// [`SENDER`] with one ether, and [`CONTRACT`] with `code`.
    pub fn with(code: impl Into<Bytes>) -> Self {
        World::default()
            .account(SENDER, 1_000_000_000_000_000_000)
            .contract(CONTRACT, code)
    }

    /// The same with an account more.
    pub fn account(mut self, address: Address, balance: u64) -> Self {
        let account = self.accounts.entry(address).or_default();
        account.balance = U256::from(balance);
        self
    }

    /// The same with a contract more, of nonce 1.
    pub fn contract(mut self, address: Address, code: impl Into<Bytes>) -> Self {
        let code = code.into();
        let account = self.accounts.entry(address).or_default();
        account.nonce = 1;
        account.code_hash = if code.is_empty() {
            KECCAK256_EMPTY
        } else {
            keccak256(&code)
        };
        self.code.insert(account.code_hash, code);
        self
    }

    /// The same with a word more.
    pub fn slot(mut self, address: Address, slot: u64, value: u64) -> Self {
        let account = self.accounts.entry(address).or_default();
        account.has_storage = true;
        self.storage
            .insert((address, U256::from(slot)), U256::from(value));
        self
    }

    /// The trace of a call, with the options `config`.
    pub fn trace(&self, config: &Value, call: &CallRequest) -> Value {
        let traced = self.try_trace(config, call);
        traced.unwrap_or_else(|error| panic!("{config}: {error}"))
    }

    /// The same, if there is one.
    pub fn try_trace(&self, config: &Value, call: &CallRequest) -> Result<Value, RpcError> {
        let machines = Machines::new(1);
        let config = serde_json::from_value(config.clone()).unwrap();
        let mut session = Session::new(&machines, &config)?;
        session.call(self, &block(), call, 7)?;
        Ok(serde_json::from_str(session.finish()?.get()).unwrap())
    }

    /// The instructions of a call of [`CONTRACT`], by the default tracer.
    pub fn steps(&self) -> Vec<Value> {
        let mut trace = self.trace(&json!({}), &call(CONTRACT));
        serde_json::from_value(trace["structLogs"].take()).unwrap()
    }
}

/// The block around it.
pub fn block() -> BlockEnv {
    BlockEnv {
        number: 100,
        timestamp: 1_000,
        beneficiary: MINER,
        gas_limit: 30_000_000,
        chain_id: 31337,
        ..BlockEnv::default()
    }
}

/// A call of `to` with nothing.
pub fn call(to: Address) -> CallRequest {
    CallRequest {
        sender: SENDER,
        gas_limit: GAS,
        to: TxKind::Call(to),
        ..CallRequest::default()
    }
}

/// A creation.
pub fn creation(init_code: impl Into<Bytes>) -> CallRequest {
    CallRequest {
        to: TxKind::Create,
        input: init_code.into(),
        ..call(CONTRACT)
    }
}

impl State for World {
    type Error = StoreError;

    fn account(&self, address: Address) -> Result<Option<AccountInfo>, StoreError> {
        Ok(self.accounts.get(&address).copied())
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StoreError> {
        Ok(self
            .storage
            .get(&(address, slot))
            .copied()
            .unwrap_or_default())
    }

    fn code(&self, hash: B256) -> Result<Bytes, StoreError> {
        let code = self.code.get(&hash).cloned();
        code.ok_or_else(|| StoreError::corrupt("no such code"))
    }

    fn block_hash(&self, number: u64) -> Result<B256, StoreError> {
        Ok(keccak256(number.to_be_bytes()))
    }
}
