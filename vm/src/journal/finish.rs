//! The end of a transaction: EIP-161's clean-up, and the difference to the state.

use super::{Account, AccountId, Journal};
use crate::{AccountDiff, AccountInfo, Diff, SlotDiff};
use alloy_primitives::{Log, U256};
use std::mem::take;

/// What a transaction leaves behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finished {
    /// Every real change against what the state said.
    pub diff: Diff,
    /// The logs that were not reverted.
    pub logs: Vec<Log>,
    /// Wei that ceased to exist with accounts that destroyed themselves.
    pub destroyed: U256,
}

impl Journal {
    /// Ends the transaction. The journal must be [reset](Journal::reset) before the next one.
    pub fn finish(&mut self) -> Finished {
        let mut slots = self.changed_slots();
        let mut accounts: Vec<AccountDiff> = Vec::with_capacity(self.accounts.len());
        for (index, account) in self.accounts.iter().enumerate() {
            let storage = take_slots(&mut slots, AccountId(index));
            accounts.extend(account_diff(account, storage));
        }
        accounts.sort_unstable_by_key(|account| account.address);
        let lost = self.accounts.iter().filter(|account| account.destroyed);
        let destroyed = lost
            .map(Account::balance)
            .fold(self.burned, U256::saturating_add);
        Finished {
            diff: Diff { accounts },
            logs: take(&mut self.logs),
            destroyed,
        }
    }

    /// Every slot whose value is not what the state said, last account first, slots ascending.
    fn changed_slots(&self) -> Vec<(AccountId, SlotDiff)> {
        let all = self.slots.iter();
        let mut changed: Vec<_> = all
            .filter(|slot| slot.current != slot.original)
            .map(|slot| {
                let (before, after) = (slot.original, slot.current);
                (
                    slot.key.account,
                    SlotDiff {
                        slot: slot.key.slot,
                        before,
                        after,
                    },
                )
            })
            .collect();
        changed.sort_unstable_by(|(id_a, a), (id_b, b)| id_b.cmp(id_a).then(a.slot.cmp(&b.slot)));
        changed
    }
}

/// Takes the slots of account `id` from the end of the list.
fn take_slots(slots: &mut Vec<(AccountId, SlotDiff)>, id: AccountId) -> Vec<SlotDiff> {
    let start = slots.partition_point(|(owner, _)| *owner > id);
    slots.drain(start..).map(|(_, slot)| slot).collect()
}

/// The change of one account; `None` if there is none.
fn account_diff(account: &Account, mut storage: Vec<SlotDiff>) -> Option<AccountDiff> {
    let mut after = info_after(account);
    match &mut after {
        Some(info) => info.has_storage |= storage.iter().any(|slot| !slot.after.is_zero()),
        None => storage.clear(),
    }
    if after == account.before && storage.is_empty() {
        return None;
    }
    let code_hash = after.map(|info| info.code_hash);
    let is_new = code_hash != account.before.map(|info| info.code_hash);
    let code = account
        .code
        .clone()
        .filter(|code| is_new && after.is_some() && !code.is_empty());
    Some(AccountDiff {
        address: account.address,
        before: account.before,
        after,
        code,
        storage,
    })
}

/// EIP-161: "At the end of the transaction, any account touched by the execution of that transaction
/// which is now empty SHALL instead become non-existent (i.e. deleted)."
fn info_after(account: &Account) -> Option<AccountInfo> {
    if account.destroyed || (account.touched && account.is_empty()) {
        return None;
    }
    if account.is_empty() {
        account.before
    } else {
        Some(account.info)
    }
}
