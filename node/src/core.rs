//! The node's core: one deterministic machine that owns chain and mempool.
//!
//! [`Core::handle`] takes the time and an event and returns what is to be done about
//! it. It reads no clock, draws no random number, knows no socket and no thread; its
//! only output besides the actions is the store's write side. The same events in the
//! same order give the same actions on every machine, so that a whole network of
//! nodes can run in one thread.

mod accounts;
mod journal;
mod returned;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use cairn_genesis::{ChainSpec, VerifiedBlock, VerifiedTransaction};

use crate::chain::{
    Accepted, BlockError, Chain, HeaderRecord, Moved, Template, TemplateRequest, verify, view,
};
use crate::mempool::{self, AdmitError, Admitted, Gone, Limits, Mempool, Refusal, TipChange};
use crate::state::account_key;
use crate::store::{Store, StoreError};
use accounts::TipAccounts;
use returned::Room;

/// The time as an event sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The chain's clock, in milliseconds since 1970.
    pub ms: u64,
}

impl Now {
    /// Whole seconds.
    pub fn s(self) -> u64 {
        self.ms / 1000
    }
}

/// What happens to the core.
#[derive(Debug)]
pub enum Event {
    /// A transaction from a user.
    Transaction(VerifiedTransaction),
    /// A block from the miner.
    Block(Box<VerifiedBlock>),
    /// Blocks from peers.
    Branch {
        /// They follow each other upward.
        blocks: Vec<VerifiedBlock>,
        /// Work that headers of their branch have shown.
        proven_work: U256,
    },
    /// Somebody wants to mine.
    Template(TemplateRequest),
    /// The operator rejects a block.
    Invalidate(B256),
    /// The operator takes the rejection back.
    Reconsider(B256),
    /// Time has passed.
    Tick,
}

/// What the core wants done, in this order.
#[derive(Debug)]
pub enum Action {
    /// Transactions came into the pool or left it.
    Pool {
        /// What came, also in place of one with the same sender and nonce.
        added: Vec<VerifiedTransaction>,
        /// What left, and why.
        removed: Vec<(B256, Gone)>,
    },
    /// The tip moved; it is on disk.
    Moved(Moved),
    /// The answer to the event, at most one.
    Answer(Answer),
}

/// The answer to an event.
#[derive(Debug)]
pub enum Answer {
    /// Of [`Event::Transaction`].
    Transaction(Result<(), Refusal>),
    /// Of [`Event::Block`].
    Block(Result<Accepted, BlockError>),
    /// Of [`Event::Branch`]: how many were taken in, and why the next was not.
    Branch(Result<(), (usize, BlockError)>),
    /// Of [`Event::Template`].
    Template(Result<Box<Template>, BlockError>),
    /// Of [`Event::Invalidate`] and [`Event::Reconsider`].
    Operator(Result<(), BlockError>),
}

/// Chain and mempool, in step with each other.
pub struct Core {
    chain: Chain,
    pool: Mempool,
}

impl Core {
    /// Opens the chain in `store` and takes back the transactions that were pending.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn open(
        store: Arc<dyn Store>,
        spec: Arc<ChainSpec>,
        now: Now,
    ) -> Result<(Self, Vec<Action>), StoreError> {
        let chain = Chain::open(store, spec)?;
        let limits = Limits {
            base_fee_floor: chain.spec().base_fee_floor,
            ..Limits::default()
        };
        let pool = Mempool::new(limits, pool_tip(&chain));
        let mut core = Self { chain, pool };
        let added = core.reload_pool(now)?;
        let removed = Vec::new();
        Ok((core, vec![Action::Pool { added, removed }]))
    }

    /// The executed tip.
    pub fn tip(&self) -> &Arc<HeaderRecord> {
        self.chain.tip()
    }

    /// The rules of the chain.
    pub fn spec(&self) -> &Arc<ChainSpec> {
        self.chain.spec()
    }

    /// The pool, for reading.
    pub fn pool(&self) -> &Mempool {
        &self.pool
    }

    /// Blocks that wait for a parent or for their time.
    pub fn waiting(&self) -> (usize, usize) {
        self.chain.waiting()
    }

    /// Takes in one event.
    ///
    /// # Errors
    /// Our own failure; the node has to stop.
    pub fn handle(&mut self, now: Now, event: Event) -> Result<Vec<Action>, StoreError> {
        let mut actions = Vec::new();
        let answer = match event {
            Event::Transaction(transaction) => Some(Answer::Transaction(self.admit(
                now,
                transaction,
                &mut actions,
            )?)),
            Event::Block(block) => {
                let mut moves = Vec::new();
                let result = self.chain.accept(now.s(), *block, &mut moves);
                self.follow(now, moves, &mut actions)?;
                Some(Answer::Block(unless_ours(result)?))
            }
            Event::Branch {
                blocks,
                proven_work,
            } => {
                let mut moves = Vec::new();
                let result = self
                    .chain
                    .accept_branch(now.s(), blocks, proven_work, &mut moves);
                self.follow(now, moves, &mut actions)?;
                Some(Answer::Branch(match result {
                    Err((_, BlockError::Ours(error))) => return Err(error),
                    result => result,
                }))
            }
            Event::Template(request) => {
                let best = self.pool.best(pool_tip(&self.chain).base_fee);
                let template = self.chain.template(&request, best).map(Box::new);
                Some(Answer::Template(unless_ours(template)?))
            }
            Event::Invalidate(hash) => {
                let moved = self.chain.invalidate(hash);
                Some(self.operator(now, moved, &mut actions)?)
            }
            Event::Reconsider(hash) => {
                let moved = self.chain.reconsider(hash);
                Some(self.operator(now, moved, &mut actions)?)
            }
            Event::Tick => {
                let mut moves = Vec::new();
                self.chain.accept_due(now.s(), &mut moves)?;
                self.follow(now, moves, &mut actions)?;
                None
            }
        };
        actions.extend(answer.map(Action::Answer));
        Ok(actions)
    }

    fn operator(
        &mut self,
        now: Now,
        moved: Result<Option<Moved>, BlockError>,
        actions: &mut Vec<Action>,
    ) -> Result<Answer, StoreError> {
        let result = match unless_ours(moved)? {
            Ok(moved) => {
                self.follow(now, moved.into_iter().collect(), actions)?;
                Ok(())
            }
            Err(error) => Err(error),
        };
        Ok(Answer::Operator(result))
    }

    fn admit(
        &mut self,
        now: Now,
        transaction: VerifiedTransaction,
        actions: &mut Vec<Action>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let accounts = TipAccounts::new(&**self.chain.store());
        match self.pool.admit(now.ms, transaction.clone(), &accounts) {
            Ok(admitted) => {
                let removed = removed_by(transaction.hash(), admitted);
                let added = vec![transaction];
                self.journal(&added, &removed)?;
                actions.push(Action::Pool { added, removed });
                Ok(Ok(()))
            }
            Err(AdmitError::Refused(refusal)) => Ok(Err(refusal)),
            Err(AdmitError::Accounts(error)) => Err(error),
        }
    }

    /// Brings the pool to the chain's tip. Several moves are one to the pool, which
    /// reads accounts as they are after the last.
    fn follow(
        &mut self,
        now: Now,
        moves: Vec<Moved>,
        actions: &mut Vec<Action>,
    ) -> Result<(), StoreError> {
        if let Some(moved) = moves.into_iter().reduce(Moved::then) {
            let change = self.pool_after(now, &moved)?;
            actions.push(Action::Moved(moved));
            actions.push(change);
        }
        Ok(())
    }

    fn pool_after(&mut self, now: Now, moved: &Moved) -> Result<Action, StoreError> {
        let store = Arc::clone(self.chain.store());
        let mut mined = Vec::new();
        for record in &moved.connected {
            let body = view::body(&*store, record.number(), record.hash)?;
            mined.extend(body.iter().map(|transaction| transaction.hash()));
        }
        let room = Room::of(self.pool.limits());
        let returned = returned::transactions(&*store, &moved.disconnected, &mined, room)?;
        let returned = verify::trusted(self.chain.spec(), returned);
        let changed = self.senders_in(&moved.touched);
        let change = TipChange {
            tip: pool_tip(&self.chain),
            mined: &mined,
            returned,
            changed: &changed,
        };
        let accounts = TipAccounts::new(&*store);
        let changes = self.pool.tip_changed(now.ms, change, &accounts)?;
        let added: Vec<_> = changes
            .added
            .iter()
            .filter_map(|hash| self.pool.get(*hash).cloned())
            .collect();
        let dropped = changes.dropped.into_iter();
        let removed = dropped.map(|(hash, reason)| (hash, Gone::Dropped(reason)));
        let removed: Vec<_> = removed.collect();
        self.journal(&added, &removed)?;
        Ok(Action::Pool { added, removed })
    }

    /// Those in the pool whose state keys are among these. A key does not tell its address, so
    /// every sender's is computed: some milliseconds for a full pool.
    fn senders_in(&self, keys: &HashSet<B256>) -> Vec<Address> {
        let senders = self.pool.senders().map(|(address, _)| address);
        senders
            .filter(|address| keys.contains(&account_key(*address)))
            .collect()
    }
}

/// What left the pool for a newcomer.
fn removed_by(newcomer: B256, admitted: Admitted) -> Vec<(B256, Gone)> {
    let replaced = admitted.replaced.into_iter();
    let evicted = admitted.evicted.into_iter();
    replaced
        .map(|hash| (hash, Gone::Replaced { by: newcomer }))
        .chain(evicted.map(|hash| (hash, Gone::Evicted)))
        .collect()
}

/// What the pool has to know of the tip.
fn pool_tip(chain: &Chain) -> mempool::Tip {
    let (tip, spec) = (chain.tip(), chain.spec());
    mempool::Tip {
        number: tip.number(),
        base_fee: spec.next_base_fee(&tip.header),
        gas_limit: spec.gas_limit,
    }
}

/// Separates our own failure from all others.
fn unless_ours<T>(result: Result<T, BlockError>) -> Result<Result<T, BlockError>, StoreError> {
    match result {
        Err(BlockError::Ours(error)) => Err(error),
        other => Ok(other),
    }
}
