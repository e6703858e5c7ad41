//! A state in memory: what a fixture begins with, and what transactions make of it.

use std::{collections::BTreeMap, convert::Infallible};

use alloy_primitives::{Address, B256, Bytes, U256, keccak256, map::B256Map};
use alloy_trie::{
    TrieAccount,
    root::{state_root_unhashed, storage_root_unhashed},
};
use cairn_vm::{AccountDiff, AccountInfo, Diff, State};

/// An account with all that belongs to it. Slots that are zero are not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub nonce: u64,
    pub balance: U256,
    pub code: Bytes,
    pub storage: BTreeMap<U256, U256>,
}

/// A whole state.
#[derive(Clone, Debug, Default)]
pub struct World {
    accounts: BTreeMap<Address, Account>,
    codes: B256Map<Bytes>,
}

impl FromIterator<(Address, Account)> for World {
    fn from_iter<I: IntoIterator<Item = (Address, Account)>>(accounts: I) -> Self {
        let mut world = Self::default();
        for (address, mut account) in accounts {
            account.storage.retain(|_, value| !value.is_zero());
            world
                .codes
                .insert(keccak256(&account.code), account.code.clone());
            world.accounts.insert(address, account);
        }
        world
    }
}

impl World {
    /// The accounts by address.
    pub fn accounts(&self) -> &BTreeMap<Address, Account> {
        &self.accounts
    }

    /// Makes the changes of a transaction.
    pub fn apply(&mut self, diff: &Diff) {
        for change in &diff.accounts {
            self.apply_to_account(change);
        }
    }

    fn apply_to_account(&mut self, change: &AccountDiff) {
        let Some(after) = change.after else {
            self.accounts.remove(&change.address);
            return;
        };
        let account = self.accounts.entry(change.address).or_default();
        account.nonce = after.nonce;
        account.balance = after.balance;
        if let Some(code) = &change.code {
            account.code = code.clone();
            self.codes.insert(after.code_hash, code.clone());
        } else if !after.has_code() {
            account.code = Bytes::new();
        }
        for slot in &change.storage {
            if slot.after.is_zero() {
                account.storage.remove(&slot.slot);
            } else {
                account.storage.insert(slot.slot, slot.after);
            }
        }
    }

    /// The Merkle-Patricia root.
    pub fn root(&self) -> B256 {
        let accounts = self.accounts.iter();
        state_root_unhashed(accounts.map(|(address, account)| (*address, account.in_trie())))
    }
}

impl Account {
    fn in_trie(&self) -> TrieAccount {
        let slots = self.storage.iter();
        TrieAccount {
            nonce: self.nonce,
            balance: self.balance,
            storage_root: storage_root_unhashed(
                slots.map(|(slot, value)| ((*slot).into(), *value)),
            ),
            code_hash: keccak256(&self.code),
        }
    }
}

impl State for World {
    type Error = Infallible;

    fn account(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.accounts.get(&address).map(|account| AccountInfo {
            nonce: account.nonce,
            balance: account.balance,
            code_hash: keccak256(&account.code),
            has_storage: !account.storage.is_empty(),
        }))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, Infallible> {
        let account = self.accounts.get(&address);
        Ok(account
            .and_then(|account| account.storage.get(&slot))
            .copied()
            .unwrap_or_default())
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, Infallible> {
        let code = self.codes.get(&code_hash);
        Ok(code
            .expect("the machine asks only for code that an account has")
            .clone())
    }

    /// What official state tests take for the hash of a block: that of its number in decimal digits.
    fn block_hash(&self, number: u64) -> Result<B256, Infallible> {
        Ok(keccak256(number.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_trie::EMPTY_ROOT_HASH;
    use cairn_vm::SlotDiff;

    const HERE: Address = Address::repeat_byte(1);

    fn world() -> World {
        let storage = BTreeMap::from([(U256::ONE, U256::from(7)), (U256::from(2), U256::ZERO)]);
        let account = Account {
            nonce: 1,
            code: Bytes::from_static(&[0xfe]),
            storage,
            ..Account::default()
        };
        World::from_iter([(HERE, account)])
    }

    #[test]
    fn zero_slots_are_not_there() {
        assert_eq!(
            world().accounts()[&HERE].storage,
            BTreeMap::from([(U256::ONE, U256::from(7))])
        );
    }

    #[test]
    fn a_diff_changes_fields_slots_and_code() {
        let mut world = world();
        let code = Bytes::from_static(&[0x00]);
        let after = AccountInfo {
            nonce: 2,
            code_hash: keccak256(&code),
            ..AccountInfo::default()
        };
        let slot = |slot, before, after| SlotDiff {
            slot: U256::from(slot),
            before: U256::from(before),
            after: U256::from(after),
        };
        let change = AccountDiff {
            address: HERE,
            before: world.account(HERE).unwrap(),
            after: Some(after),
            code: Some(code.clone()),
            storage: vec![slot(1, 7, 0), slot(3, 0, 9)],
        };
        world.apply(&Diff {
            accounts: vec![change.clone()],
        });
        let account = &world.accounts()[&HERE];
        assert_eq!((account.nonce, &account.code), (2, &code));
        assert_eq!(
            account.storage,
            BTreeMap::from([(U256::from(3), U256::from(9))])
        );
        assert_eq!(world.code(after.code_hash), Ok(code));

        world.apply(&Diff {
            accounts: vec![AccountDiff {
                after: None,
                code: None,
                storage: vec![],
                ..change
            }],
        });
        assert_eq!(world.root(), EMPTY_ROOT_HASH);
    }

    #[test]
    fn the_root_depends_on_every_field() {
        let plain = world();
        let change = |change: fn(&mut Account)| {
            let mut world = world();
            change(world.accounts.get_mut(&HERE).unwrap());
            world.root()
        };
        let others = [
            change(|account| account.nonce += 1),
            change(|account| account.balance = U256::ONE),
            change(|account| account.code = Bytes::new()),
            change(|account| account.storage = BTreeMap::new()),
        ];
        assert_eq!(change(|_| ()), plain.root());
        assert!(
            others.iter().all(|root| *root != plain.root()),
            "{others:?}"
        );
    }
}
