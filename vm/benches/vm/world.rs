//! The state that the programs run in: one contract, one rich sender, nothing else.

use std::collections::HashMap;
use std::convert::Infallible;

use alloy_primitives::{Address, B256, Bytes, U256, address, keccak256};
use cairn_vm::{AccountInfo, BlockEnv, CallRequest, Machine, Precompiles, State};
use revm::database::{CacheDB, EmptyDB};

use crate::contracts::Contract;

/// Where the program stands.
pub const CONTRACT: Address = address!("00000000000000000000000000000000c0de0001");
/// Who calls it.
pub const SENDER: Address = address!("00000000000000000000000000000000000a11ce");

/// Accounts and code.
#[derive(Default)]
pub struct World {
    accounts: HashMap<Address, AccountInfo>,
    storage: HashMap<(Address, U256), U256>,
    codes: HashMap<B256, Bytes>,
}

impl World {
    /// A world in which `contract` was deployed.
    pub fn with(contract: &Contract) -> Self {
        let mut world = Self::default();
        let rich = AccountInfo {
            balance: U256::from(10).pow(U256::from(24)),
            ..AccountInfo::default()
        };
        world.accounts.insert(SENDER, rich);
        match &contract.runtime {
            Some(code) => world.put_code(CONTRACT, code.clone()),
            None => world.deploy(contract),
        }
        world
    }

    fn put_code(&mut self, address: Address, code: Bytes) {
        let info = AccountInfo {
            nonce: 1,
            code_hash: keccak256(&code),
            ..AccountInfo::default()
        };
        self.codes.insert(info.code_hash, code);
        self.accounts.insert(address, info);
    }

    /// Runs the creation code; what it leaves behind stands at [`CONTRACT`].
    fn deploy(&mut self, contract: &Contract) {
        let call = CallRequest {
            sender: SENDER,
            gas_limit: 100_000_000,
            input: contract.creation.clone(),
            ..CallRequest::default()
        };
        let block = BlockEnv {
            number: 1,
            gas_limit: u64::MAX,
            chain_id: 1,
            ..BlockEnv::default()
        };
        let outcome = Machine::new(Precompiles::osaka())
            .call(self, &block, &call)
            .expect("a valid call");
        assert!(
            outcome.status.is_success(),
            "{}: {:?}",
            contract.name,
            outcome.status
        );
        let created = outcome.created.expect("a creation has an address");
        for account in outcome
            .diff
            .accounts
            .into_iter()
            .filter(|account| account.address != SENDER)
        {
            let address = if account.address == created {
                CONTRACT
            } else {
                account.address
            };
            let after = account.after.expect("nothing is destroyed");
            self.accounts.insert(address, after);
            self.codes
                .extend(account.code.map(|code| (after.code_hash, code)));
            self.storage.extend(
                account
                    .storage
                    .iter()
                    .map(|slot| ((address, slot.slot), slot.after)),
            );
        }
    }

    /// The same for the other machine, with its code prepared once as well.
    pub fn for_revm(&self) -> CacheDB<EmptyDB> {
        let mut db = CacheDB::new(EmptyDB::default());
        for (address, info) in &self.accounts {
            let code = self.codes.get(&info.code_hash).cloned().unwrap_or_default();
            let code = revm::bytecode::Bytecode::new_legacy(code);
            let info =
                revm::state::AccountInfo::new(info.balance, info.nonce, info.code_hash, code);
            db.insert_account_info(*address, info);
        }
        for ((address, slot), value) in &self.storage {
            let inserted = db.insert_account_storage(*address, *slot, *value);
            inserted.expect("an empty database never fails");
        }
        db
    }
}

impl State for World {
    type Error = Infallible;

    fn account(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.accounts.get(&address).copied())
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self
            .storage
            .get(&(address, slot))
            .copied()
            .unwrap_or_default())
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, Infallible> {
        Ok(self.codes.get(&code_hash).cloned().unwrap_or_default())
    }

    fn block_hash(&self, _: u64) -> Result<B256, Infallible> {
        Ok(B256::ZERO)
    }
}
