//! `prestateTracer`: all that a transaction looked at, as it was before; with `diffMode` all that it
//! changed, before and after.
//!
//! What was before, the state says; what is after, the transaction's diff. Only what was looked at
//! has to be watched.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use cairn_vm::trace::{Enter, Step};
use cairn_vm::{AccountDiff, AccountInfo, Outcome, delegation, opcode};
use serde::{Deserialize, Serialize};

use super::base::{address, item};
use super::config::or_default;
use super::price::Priced;
use super::recorder::{Recorder, Scene, Subject};
use crate::rpc::error::RpcError;
use crate::store::StoreError;

/// Bytes that an account takes in the answer besides code and storage, rounded up.
const ACCOUNT_BYTES: usize = 320;

/// Bytes that a slot takes in the answer.
const SLOT_BYTES: usize = 144;

/// The options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PrestateOptions {
    /// Whether to show what changed, before and after.
    #[serde(deserialize_with = "or_default")]
    pub diff_mode: bool,
    /// Whether to leave out code.
    #[serde(deserialize_with = "or_default")]
    pub disable_code: bool,
    /// Whether to leave out storage.
    #[serde(deserialize_with = "or_default")]
    pub disable_storage: bool,
    /// Whether to show accounts that were not there.
    #[serde(deserialize_with = "or_default")]
    pub include_empty: bool,
}

impl PrestateOptions {
    /// # Errors
    /// If they contradict each other, in geth's words.
    pub fn check(self) -> Result<(), RpcError> {
        match self.diff_mode && self.include_empty {
            true => Err(RpcError::params("cannot use diffMode with includeEmpty")),
            false => Ok(()),
        }
    }
}

/// The tracer.
pub struct Prestate {
    options: PrestateOptions,
    seen: BTreeMap<Address, AccountInfo>,
    slots: BTreeMap<Address, BTreeSet<U256>>,
    /// New contracts that gave all they had away: nothing comes after them.
    destroyed: BTreeSet<Address>,
}

/// An account in JSON; what is not there, or did not change, is absent.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<U256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_hash: Option<B256>,
    #[serde(skip_serializing_if = "is_zero")]
    nonce: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    storage: BTreeMap<B256, B256>,
}

fn is_zero(nonce: &u64) -> bool {
    *nonce == 0
}

/// The answer in `diffMode`.
#[derive(Default, Serialize)]
struct Changed {
    post: BTreeMap<Address, Shown>,
    pre: BTreeMap<Address, Shown>,
}

impl Prestate {
    /// A tracer that has looked at what every transaction looks at.
    pub fn new(
        options: PrestateOptions,
        subject: &Subject,
        scene: &Scene<'_>,
    ) -> Result<Self, StoreError> {
        let mut prestate = Self {
            options,
            seen: BTreeMap::new(),
            slots: BTreeMap::new(),
            destroyed: BTreeSet::new(),
        };
        // These few need no promise of room.
        let sender = scene.base.account(subject.sender)?;
        let to = match subject.to {
            TxKind::Call(to) => to,
            TxKind::Create => subject.sender.create(sender.nonce),
        };
        let code = scene.base.code(scene.base.account(to)?.code_hash)?;
        let always = [subject.sender, to, subject.beneficiary];
        let others = subject.authorities.iter().copied();
        for address in always
            .into_iter()
            .chain(delegation::delegate(&code))
            .chain(others)
        {
            prestate.seen.insert(address, scene.base.account(address)?);
        }
        Ok(prestate)
    }

    fn look(&mut self, scene: &mut Scene<'_>, address: Address) -> Result<(), StoreError> {
        if self.seen.contains_key(&address) {
            return Ok(());
        }
        let account = scene.base.account(address)?;
        let code = match self.options.disable_code {
            true => 0,
            false => scene.base.code(account.code_hash)?.len(),
        };
        scene.output.promise(ACCOUNT_BYTES + 2 * code);
        self.seen.insert(address, account);
        Ok(())
    }

    fn look_at_slot(&mut self, scene: &mut Scene<'_>, address: Address, slot: U256) {
        if self.options.disable_storage {
            return;
        }
        if self.slots.entry(address).or_default().insert(slot) {
            scene.output.promise(SLOT_BYTES);
        }
    }
}

impl Recorder for Prestate {
    fn step(
        &mut self,
        scene: &mut Scene<'_>,
        step: &Step<'_>,
        priced: &Priced,
    ) -> Result<(), StoreError> {
        use opcode as op;
        if priced.fault.is_some() {
            return Ok(());
        }
        match step.opcode {
            op::SLOAD | op::SSTORE => self.look_at_slot(scene, step.address, item(step, 0)),
            op::BALANCE
            | op::EXTCODESIZE
            | op::EXTCODECOPY
            | op::EXTCODEHASH
            | op::SELFDESTRUCT => {
                self.look(scene, address(step, 0))?;
            }
            op::CALL | op::CALLCODE | op::DELEGATECALL | op::STATICCALL => {
                let target = address(step, 1);
                self.look(scene, target)?;
                if let Some(delegate) = scene.base.delegate(step, target)? {
                    self.look(scene, delegate)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, scene: &mut Scene<'_>, enter: &Enter<'_>) -> Result<(), StoreError> {
        match enter.kind.is_creation() {
            true => self.look(scene, enter.to),
            false => Ok(()),
        }
    }

    fn self_destruct(&mut self, _: &mut Scene<'_>, contract: Address, _: Address, _: U256) {
        self.destroyed.insert(contract);
    }

    fn finish(self: Box<Self>, scene: &mut Scene<'_>, outcome: &Outcome) -> Result<(), StoreError> {
        scene.output.settle();
        match self.options.diff_mode {
            true => {
                let changed = self.changed(scene, outcome)?;
                scene.output.json(&changed);
            }
            false => {
                let all = self.all(scene)?;
                scene.output.json(&all);
            }
        }
        Ok(())
    }
}

impl Prestate {
    /// All accounts and slots, as they were.
    fn all(&self, scene: &Scene<'_>) -> Result<BTreeMap<Address, Shown>, StoreError> {
        let mut all = BTreeMap::new();
        for (address, account) in &self.seen {
            if account.is_empty() && !self.options.include_empty {
                continue;
            }
            all.insert(*address, self.whole(scene, *address, account)?);
        }
        Ok(all)
    }

    /// An account with all slots that were looked at.
    fn whole(
        &self,
        scene: &Scene<'_>,
        address: Address,
        account: &AccountInfo,
    ) -> Result<Shown, StoreError> {
        let mut shown = self.shown(scene, account)?;
        for slot in self.slots.get(&address).into_iter().flatten() {
            let value = scene.base.storage(address, *slot)?;
            shown.storage.insert((*slot).into(), value.into());
        }
        Ok(shown)
    }

    /// An account without storage.
    fn shown(&self, scene: &Scene<'_>, account: &AccountInfo) -> Result<Shown, StoreError> {
        let code = scene.base.code(account.code_hash)?;
        let has_code = !code.is_empty();
        Ok(Shown {
            balance: Some(account.balance),
            code: Some(code).filter(|_| has_code && !self.options.disable_code),
            code_hash: Some(account.code_hash).filter(|_| has_code),
            nonce: account.nonce,
            storage: BTreeMap::new(),
        })
    }

    /// The accounts and slots that changed.
    fn changed(&self, scene: &Scene<'_>, outcome: &Outcome) -> Result<Changed, StoreError> {
        let mut changed = Changed::default();
        for diff in &outcome.diff.accounts {
            let Some(before) = self.seen.get(&diff.address) else {
                continue;
            };
            let address = diff.address;
            let mut pre = self.shown(scene, before)?;
            if diff.after.is_none() && self.destroyed.contains(&address) {
                pre = self.whole(scene, address, before)?;
            } else if let Some(post) = self.after(before, diff, &mut pre) {
                changed.post.insert(address, post);
            } else {
                continue;
            }
            if !before.is_empty() {
                changed.pre.insert(address, pre);
            }
        }
        Ok(changed)
    }

    /// What is different about an account now. Adds to `pre` the slots that changed. `None` if nothing
    /// is that would be shown.
    fn after(&self, before: &AccountInfo, diff: &AccountDiff, pre: &mut Shown) -> Option<Shown> {
        let after = diff.after.unwrap_or_default();
        let is_new_code = after.code_hash != before.code_hash;
        let code = diff.code.clone().unwrap_or_default();
        let mut post = Shown {
            balance: Some(after.balance).filter(|balance| *balance != before.balance),
            code: Some(code).filter(|_| is_new_code && !self.options.disable_code),
            code_hash: Some(after.code_hash).filter(|_| is_new_code),
            nonce: if after.nonce == before.nonce {
                0
            } else {
                after.nonce
            },
            storage: BTreeMap::new(),
        };
        let mut is_changed = post != Shown::default() || after.nonce != before.nonce;
        let seen = self.slots.get(&diff.address);
        for slot in &diff.storage {
            if !seen.is_some_and(|seen| seen.contains(&slot.slot)) {
                continue;
            }
            is_changed = true;
            if !slot.before.is_zero() {
                pre.storage.insert(slot.slot.into(), slot.before.into());
            }
            if !slot.after.is_zero() {
                post.storage.insert(slot.slot.into(), slot.after.into());
            }
        }
        is_changed.then_some(post)
    }
}
