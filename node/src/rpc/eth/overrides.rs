//! State and block overrides: a call in a world that is not quite the real one.

use std::collections::{BTreeMap, HashMap};

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_rpc_types_eth::BlockOverrides;
use alloy_rpc_types_eth::state::{AccountOverride, StateOverride};
use cairn_vm::{AccountInfo, BlockEnv, State};

use crate::rpc::error::RpcError;

/// A state with some answers replaced.
pub struct Overridden<S> {
    base: S,
    accounts: StateOverride,
    code: HashMap<B256, Bytes>,
    block_hashes: BTreeMap<u64, B256>,
}

impl<S: State> Overridden<S> {
    /// `base` with these replacements.
    ///
    /// # Errors
    /// If an account has both `state` and `stateDiff`, or a precompile is to be moved, which
    /// is not supported.
    pub fn new(
        base: S,
        accounts: StateOverride,
        block_hashes: BTreeMap<u64, B256>,
    ) -> Result<Self, RpcError> {
        for (address, account) in &accounts {
            check(*address, account)?;
        }
        let codes = accounts.values().filter_map(|account| account.code.clone());
        let code = codes.map(|code| (keccak256(&code), code)).collect();
        Ok(Self {
            base,
            accounts,
            code,
            block_hashes,
        })
    }
}

fn check(address: Address, account: &AccountOverride) -> Result<(), RpcError> {
    if account.state.is_some() && account.state_diff.is_some() {
        return Err(RpcError::params(format!(
            "state overrides: account {address} has both 'state' and 'stateDiff'"
        )));
    }
    match account.move_precompile_to {
        None => Ok(()),
        Some(_) => Err(RpcError::params(
            "state overrides: 'movePrecompileToAddress' is not supported",
        )),
    }
}

impl<S: State> State for Overridden<S> {
    type Error = S::Error;

    fn account(&self, address: Address) -> Result<Option<AccountInfo>, S::Error> {
        let base = self.base.account(address)?;
        let Some(account) = self.accounts.get(&address) else {
            return Ok(base);
        };
        let info = base.unwrap_or_default();
        let code_hash = account.code.as_ref().map(|code| match code.is_empty() {
            true => KECCAK256_EMPTY,
            false => keccak256(code),
        });
        let replaced = account.state.as_ref().map(|slots| !slots.is_empty());
        Ok(Some(AccountInfo {
            nonce: account.nonce.unwrap_or(info.nonce),
            balance: account.balance.unwrap_or(info.balance),
            code_hash: code_hash.unwrap_or(info.code_hash),
            has_storage: replaced.unwrap_or(info.has_storage),
        }))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, S::Error> {
        let key = B256::from(slot);
        let account = self.accounts.get(&address);
        if let Some(all) = account.and_then(|account| account.state.as_ref()) {
            return Ok(all
                .get(&key)
                .map_or(U256::ZERO, |word| U256::from_be_bytes(word.0)));
        }
        let diff = account.and_then(|account| account.state_diff.as_ref());
        match diff.and_then(|slots| slots.get(&key)) {
            Some(word) => Ok(U256::from_be_bytes(word.0)),
            None => self.base.storage(address, slot),
        }
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, S::Error> {
        match self.code.get(&code_hash) {
            Some(code) => Ok(code.clone()),
            None => self.base.code(code_hash),
        }
    }

    fn block_hash(&self, number: u64) -> Result<B256, S::Error> {
        match self.block_hashes.get(&number) {
            Some(hash) => Ok(*hash),
            None => self.base.block_hash(number),
        }
    }
}

/// Changes `env` as asked. Difficulty, blobs and the beacon root have no meaning here and are
/// ignored, as geth ignores what a block of its time does not have.
///
/// # Errors
/// If a number does not fit into 64 bits.
pub fn apply_to_block(env: &mut BlockEnv, overrides: &BlockOverrides) -> Result<(), RpcError> {
    set(&mut env.number, word("number", overrides.number)?);
    set(&mut env.timestamp, overrides.time);
    set(&mut env.gas_limit, overrides.gas_limit);
    set(&mut env.beneficiary, overrides.coinbase);
    set(&mut env.prevrandao, overrides.random);
    set(
        &mut env.base_fee,
        word("baseFeePerGas", overrides.base_fee)?,
    );
    Ok(())
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn word(name: &str, value: Option<U256>) -> Result<Option<u64>, RpcError> {
    let word = value.map(u64::try_from).transpose();
    word.map_err(|_| {
        RpcError::params(format!(
            "block overrides: '{name}' does not fit into 64 bits"
        ))
    })
}
