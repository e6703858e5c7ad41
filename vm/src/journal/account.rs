//! Accounts: loading, warmth, balance, nonce, code, creation, destruction.

use super::{Journal, change::Change};
use crate::{AccountInfo, Halt, State};
use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256, keccak256};

/// Names an account that was loaded in this transaction, cheaper than its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub(super) usize);

/// An account as the transaction sees it now.
#[derive(Clone, Debug)]
pub struct Account {
    pub(super) address: Address,
    /// What the state said; meaningful once `loaded`.
    pub(super) before: Option<AccountInfo>,
    /// As it is now. An account that does not exist looks like an empty one.
    pub(super) info: AccountInfo,
    /// The code of `info.code_hash`, once somebody asked for it or set it.
    pub(super) code: Option<Bytes>,
    pub(super) loaded: bool,
    pub(super) warm: bool,
    pub(super) touched: bool,
    pub(super) created: bool,
    pub(super) destroyed: bool,
}

/// The answer to an access by EIP-2929.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The account.
    pub id: AccountId,
    /// Whether this was the first access. From now on the account is warm.
    pub cold: bool,
}

impl Account {
    fn unloaded(address: Address, warm: bool) -> Self {
        Self {
            address,
            before: None,
            info: AccountInfo::default(),
            code: None,
            loaded: false,
            warm,
            touched: false,
            created: false,
            destroyed: false,
        }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Its nonce; 0 if it does not exist.
    pub fn nonce(&self) -> u64 {
        self.info.nonce
    }

    /// Its balance in wei; 0 if it does not exist.
    pub fn balance(&self) -> U256 {
        self.info.balance
    }

    /// The hash of its code; that of empty code if it does not exist.
    pub fn code_hash(&self) -> B256 {
        self.info.code_hash
    }

    /// Its code, as far as somebody has asked for it or set it in this transaction.
    pub fn known_code(&self) -> Option<&Bytes> {
        self.code.as_ref()
    }

    /// Whether it has code, a delegation indicator included.
    pub fn has_code(&self) -> bool {
        self.info.has_code()
    }

    /// EIP-161: no code, no nonce, no balance.
    pub fn is_empty(&self) -> bool {
        self.info.is_empty()
    }

    /// Whether it is part of the state: it was there before, or is no longer empty.
    pub fn exists(&self) -> bool {
        self.before.is_some() || !self.is_empty()
    }

    /// Whether this transaction created it as a contract (EIP-6780).
    pub fn is_created(&self) -> bool {
        self.created
    }

    /// Whether it will vanish with the end of the transaction.
    pub fn is_destroyed(&self) -> bool {
        self.destroyed
    }

    /// EIP-7610: "the destination address already has either a nonzero nonce, a nonzero code length, or
    /// non-empty storage". (EIP-684 asked for the first two.)
    pub fn collides(&self) -> bool {
        self.info.nonce != 0 || self.info.has_code() || self.info.has_storage
    }
}

impl Journal {
    /// The account `id`.
    pub fn account(&self, id: AccountId) -> &Account {
        &self.accounts[id.0]
    }

    /// The account at `address`, if this transaction has read it.
    pub fn peek(&self, address: Address) -> Option<&Account> {
        let id = self.ids.get(&address)?;
        Some(self.account(*id)).filter(|account| account.loaded)
    }

    /// Whether an access to the account would find it warm (EIP-2929).
    pub fn is_warm(&self, address: Address) -> bool {
        match self.ids.get(&address) {
            Some(id) => self.account(*id).warm,
            None => self.always_warm.contains(&address),
        }
    }

    /// Reads the account at `address` from the state, unless this transaction did so before. Does not make
    /// it warm.
    pub fn load<S>(&mut self, state: &S, address: Address) -> Result<AccountId, S::Error>
    where
        S: State + ?Sized,
    {
        let id = self.id(address);
        let account = &mut self.accounts[id.0];
        if !account.loaded {
            account.before = state.account(address)?;
            account.info = account.before.unwrap_or_default();
            account.loaded = true;
        }
        Ok(id)
    }

    /// Loads the account at `address`, tells whether it was cold, and makes it warm.
    pub fn access<S>(&mut self, state: &S, address: Address) -> Result<Access, S::Error>
    where
        S: State + ?Sized,
    {
        let id = self.load(state, address)?;
        Ok(Access {
            id,
            cold: self.make_warm(id),
        })
    }

    /// Makes the account at `address` warm without reading it.
    pub fn warm_account(&mut self, address: Address) {
        let id = self.id(address);
        self.make_warm(id);
    }

    /// The account's code; empty if it has none.
    pub fn code<S>(&mut self, state: &S, id: AccountId) -> Result<Bytes, S::Error>
    where
        S: State + ?Sized,
    {
        let account = &mut self.accounts[id.0];
        if !account.info.has_code() {
            return Ok(Bytes::new());
        }
        if let Some(code) = &account.code {
            return Ok(code.clone());
        }
        let code = state.code(account.info.code_hash)?;
        account.code = Some(code.clone());
        Ok(code)
    }

    /// EIP-161: marks an account as "involved in any potentially state-changing operation", so that it
    /// vanishes with the end of the transaction if it is empty then.
    pub fn touch(&mut self, id: AccountId) {
        if !self.accounts[id.0].touched {
            self.record(Change::Touched(id, true));
        }
    }

    /// Takes `wei` from the account. Fails and changes nothing if it has less.
    pub fn debit(&mut self, id: AccountId, wei: U256) -> Result<(), Halt> {
        let balance = self.account(id).balance();
        let rest = balance.checked_sub(wei).ok_or(Halt::InsufficientBalance)?;
        self.set_balance(id, rest);
        Ok(())
    }

    /// Gives `wei` to the account. Fails and changes nothing if it could not hold them.
    pub fn credit(&mut self, id: AccountId, wei: U256) -> Result<(), Halt> {
        let balance = self.account(id).balance();
        let sum = balance.checked_add(wei).ok_or(Halt::BalanceOverflow)?;
        self.set_balance(id, sum);
        Ok(())
    }

    /// Moves `wei`. A failure may leave the debit done: the caller reverts its frame.
    pub fn transfer(&mut self, from: AccountId, to: AccountId, wei: U256) -> Result<(), Halt> {
        self.debit(from, wei)?;
        self.credit(to, wei)
    }

    /// Sets the nonce.
    pub fn set_nonce(&mut self, id: AccountId, nonce: u64) {
        self.touch(id);
        self.record(Change::Nonce(id, nonce));
    }

    /// Sets the code; empty code removes it.
    pub fn set_code(&mut self, id: AccountId, code: Bytes) {
        self.touch(id);
        let hash = if code.is_empty() {
            KECCAK256_EMPTY
        } else {
            keccak256(&code)
        };
        self.record(Change::Code(id, Box::new((hash, Some(code)))));
    }

    /// Turns the account into a new contract. EIP-161: its nonce is incremented "over and above its normal
    /// starting value by one". The caller has checked [`Account::collides`].
    pub fn create_contract(&mut self, id: AccountId) {
        self.record(Change::Created(id, true));
        self.set_nonce(id, 1);
    }

    /// SELFDESTRUCT by EIP-6780: "transfers the entire account balance to the target", and deletes the
    /// account only "in the same transaction as the contract was created". Then, "if the target is the same
    /// as the contract calling SELFDESTRUCT that Ether will be burnt".
    pub fn self_destruct(&mut self, id: AccountId, target: AccountId) -> Result<(), Halt> {
        let balance = self.account(id).balance();
        let created = self.account(id).created;
        if id != target {
            self.transfer(id, target, balance)?;
        } else if created {
            self.debit(id, balance)?;
            self.burned = self.burned.saturating_add(balance);
        }
        if created && !self.account(id).destroyed {
            self.record(Change::Destroyed(id, true));
        }
        Ok(())
    }

    /// The entry of `address`, made if there is none. Nobody outside gets hold of an unloaded one.
    pub(super) fn id(&mut self, address: Address) -> AccountId {
        let next = AccountId(self.accounts.len());
        let id = *self.ids.entry(address).or_insert(next);
        if id == next {
            let warm = self.always_warm.contains(&address);
            self.accounts.push(Account::unloaded(address, warm));
        }
        id
    }

    /// Makes an account warm; returns whether it was cold.
    fn make_warm(&mut self, id: AccountId) -> bool {
        let cold = !self.accounts[id.0].warm;
        if cold {
            self.record(Change::WarmAccount(id, true));
        }
        cold
    }

    fn set_balance(&mut self, id: AccountId, balance: U256) {
        self.touch(id);
        if self.account(id).balance() != balance {
            self.record(Change::Balance(id, balance));
        }
    }
}
