//! The state as the transaction sees it between two instructions, for tracers: first what the
//! machine's journal knows, then what stood there before the transaction.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use cairn_vm::journal::SlotAccess;
use cairn_vm::trace::Step;
use cairn_vm::{AccountInfo, State, delegation};

use crate::store::StoreError;

/// The state before the transaction.
#[derive(Clone, Copy)]
pub struct Base<'a>(pub &'a dyn State<Error = StoreError>);

impl Base<'_> {
    /// An account before the transaction; an empty one if there is none.
    pub fn account(self, address: Address) -> Result<AccountInfo, StoreError> {
        Ok(self.0.account(address)?.unwrap_or_default())
    }

    /// A word of storage before the transaction.
    pub fn storage(self, address: Address, slot: U256) -> Result<U256, StoreError> {
        self.0.storage(address, slot)
    }

    /// The code with this hash, before the transaction.
    pub fn code(self, hash: B256) -> Result<Bytes, StoreError> {
        match hash {
            KECCAK256_EMPTY => Ok(Bytes::new()),
            _ => self.0.code(hash),
        }
    }

    /// EIP-161: whether value makes a new account of it.
    pub fn is_empty(self, step: &Step<'_>, address: Address) -> Result<bool, StoreError> {
        match step.journal.peek(address) {
            Some(account) => Ok(account.is_empty()),
            None => Ok(self.account(address)?.is_empty()),
        }
    }

    /// The account's code.
    fn code_at(self, step: &Step<'_>, address: Address) -> Result<Bytes, StoreError> {
        let Some(account) = step.journal.peek(address) else {
            return self.code(self.account(address)?.code_hash);
        };
        match account.known_code() {
            Some(code) => Ok(code.clone()),
            None => self.code(account.code_hash()),
        }
    }

    /// To whom the account delegates (EIP-7702).
    pub fn delegate(
        self,
        step: &Step<'_>,
        address: Address,
    ) -> Result<Option<Address>, StoreError> {
        Ok(delegation::delegate(&self.code_at(step, address)?))
    }

    /// A slot of the running contract.
    pub fn slot(self, step: &Step<'_>, slot: U256) -> Result<SlotAccess, StoreError> {
        if let Some(access) = step.journal.peek_slot(step.address, slot) {
            return Ok(access);
        }
        let is_new = step
            .journal
            .peek(step.address)
            .is_some_and(|account| account.is_created());
        let value = match is_new {
            true => U256::ZERO,
            false => self.storage(step.address, slot)?,
        };
        let cold = !step.journal.is_slot_warm(step.address, slot);
        Ok(SlotAccess {
            original: value,
            current: value,
            cold,
        })
    }
}

/// The `index`-th item of the stack from its top, from 0; zero where there is none.
pub fn item(step: &Step<'_>, index: usize) -> U256 {
    let item = step.stack.iter().nth_back(index);
    item.copied().unwrap_or_default()
}

/// The address that an item holds.
pub fn address(step: &Step<'_>, index: usize) -> Address {
    Address::from_word(item(step, index).into())
}
