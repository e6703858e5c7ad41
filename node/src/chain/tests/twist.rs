//! Blocks made by other rules than ours: a [`Twist`] executes a block as they want it,
//! and claims the state that they lead to. Without a twist it is the template's.

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_genesis::{Header, InvalidBlock, VerifiedTransaction};
use cairn_vm::Machine;

use super::follower::Follower;
use super::forge::Forge;
use crate::chain::Accepted::Best;
use crate::chain::execute::{BlockExecution, block_env};
use crate::chain::{BlockError, ChainView};
use crate::state::{Account, BlockChanges, Pending};
use crate::store::Memory;

/// Other rules.
#[derive(Default)]
pub(super) struct Twist {
    /// What the history contract is told of the parent.
    pub(super) parent_hash: Option<B256>,
    /// What the beneficiary is credited after the last transaction.
    pub(super) subsidy: Option<U256>,
    /// Who is credited how much beside it.
    pub(super) credit: Option<(Address, U256)>,
    /// Who comes into being with nothing.
    pub(super) empty: Option<Address>,
}

impl Twist {
    fn state_root(
        &self,
        forge: &Forge,
        header: &Header,
        transactions: &[VerifiedTransaction],
    ) -> B256 {
        let store = forge.store(header.parent_hash);
        let mut pending = Pending::default();
        let mut machine = Machine::new(crate::precompiles::precompiles());
        let env = block_env(&forge.spec, header);
        let parent_hash = self.parent_hash.unwrap_or(header.parent_hash);
        let mut execution =
            BlockExecution::begin(store, &mut pending, &mut machine, env, parent_hash).unwrap();
        for transaction in transactions {
            execution.transact(transaction).unwrap();
        }
        let subsidy = forge.spec.subsidy(header.number);
        execution.finish(self.subsidy.unwrap_or(subsidy)).unwrap();
        let mut changes = BlockChanges::default();
        if let Some((who, wei)) = self.credit {
            pending.credit(store, who, wei, &mut changes).unwrap();
        }
        let mut accounts = changes_of(changes);
        if let Some(who) = self.empty {
            accounts.push(pending.insert_account(who, Account::default(), Bytes::new()));
        }
        pending.update_root(store, &accounts, &[]).unwrap()
    }

    /// Asserts that a block on genesis with this twist is refused for its state, and that
    /// the same block without it is taken.
    pub(super) fn is_refused(&self, forge: &mut Forge, transactions: &[VerifiedTransaction]) {
        self.is_refused_on(forge, forge.genesis, transactions);
    }

    pub(super) fn is_refused_on(
        &self,
        forge: &mut Forge,
        parent: B256,
        transactions: &[VerifiedTransaction],
    ) {
        let request = forge.request(parent);
        let template = forge.template(parent, transactions, request.clone());
        let mut header = template.header.clone();
        let expected = header.state_root;
        let honest = Twist::default().state_root(forge, &header, &template.transactions);
        assert_eq!(honest, expected);
        let good = forge.block_for(parent, transactions, request);
        header.state_root = self.state_root(forge, &header, &template.transactions);
        let (expected, got) = (header.state_root, expected);
        let bad = forge.seal(header, template.transactions);
        let mut follower = Follower::on(forge.store(parent).copy(), &forge.spec).unwrap();
        let fault = BlockError::Execution(InvalidBlock::StateRoot { expected, got }.into());
        assert_eq!(follower.give(&bad), Err(fault));
        assert_eq!(follower.marked(), [bad.hash()]);
        follower.give_all(&[good], Best);
        follower.check(forge);
    }
}

fn changes_of(changes: BlockChanges) -> Vec<B256> {
    let changes = changes.into_changes();
    changes.accounts.into_iter().map(|(key, _)| key).collect()
}

/// What an account has at the tip of a store.
pub(super) fn balance(store: &Memory, who: Address) -> U256 {
    let view = ChainView::open(store).unwrap();
    let account = view.state_at(view.tip().number).unwrap().account(who);
    account.unwrap().unwrap_or_default().balance
}
