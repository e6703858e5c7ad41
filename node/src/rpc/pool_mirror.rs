//! A copy of the mempool that RPC reads, so that no request waits for the core.
//!
//! The core owns the mempool; whoever carries out the core's actions applies each change
//! here. Which transactions can be executed is not stored: it follows from the account's
//! nonce, which a request reads from the same snapshot as all else.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};

use alloy_primitives::{Address, B256};
use cairn_genesis::VerifiedTransaction;
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::mempool::DropReason;
use crate::mempool::Gone;

/// Transactions that have left the pool unmined, remembered for `cairn_why`: a few
/// minutes' worth under load, at about 300 bytes each.
const REMEMBERED: usize = 4096;

/// Hashes of the latest newcomers, for those who ask what came since they last asked: a
/// filter that is polled every minute loses none at 250 a second.
const NEWCOMERS: usize = 16_384;

/// Transactions of one sender by nonce.
pub type Queue = BTreeMap<u64, VerifiedTransaction>;

/// The shared copy.
#[derive(Debug, Default)]
pub struct PoolMirror {
    inner: RwLock<Inner>,
    arrived: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    by_hash: HashMap<B256, VerifiedTransaction>,
    by_sender: BTreeMap<Address, Queue>,
    gone: HashMap<B256, Gone>,
    gone_order: VecDeque<B256>,
    /// How many transactions ever came, and the hashes of the last of them.
    arrived: u64,
    newcomers: VecDeque<B256>,
}

impl PoolMirror {
    /// Applies one change of the mempool: first what left, then what came. A newcomer
    /// takes the place of the transaction with its sender and nonce, if there is one.
    pub fn apply(
        &self,
        added: impl IntoIterator<Item = VerifiedTransaction>,
        removed: impl IntoIterator<Item = (B256, Gone)>,
    ) {
        let mut inner = self.inner.write();
        for (hash, gone) in removed {
            inner.remove(hash, gone);
        }
        for transaction in added {
            inner.insert(transaction);
        }
        let arrived = inner.arrived;
        drop(inner);
        let tell = |told: &mut u64| std::mem::replace(told, arrived) != arrived;
        self.arrived.send_if_modified(tell);
    }

    /// How many transactions ever came: where [`PoolMirror::newcomers`] begins.
    pub fn arrived(&self) -> u64 {
        self.inner.read().arrived
    }

    /// Wakes when transactions come.
    pub fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrived.subscribe()
    }

    /// What came after the first `seen` transactions, oldest first, and how many have come by
    /// now. Of very many only the latest are remembered.
    pub fn newcomers(&self, seen: u64) -> (Vec<B256>, u64) {
        let inner = self.inner.read();
        let count = usize::try_from(inner.arrived.saturating_sub(seen)).unwrap_or(usize::MAX);
        let skipped = inner.newcomers.len().saturating_sub(count);
        let hashes = inner.newcomers.iter().skip(skipped).copied();
        (hashes.collect(), inner.arrived)
    }

    /// The transaction with this hash.
    pub fn get(&self, hash: B256) -> Option<VerifiedTransaction> {
        self.inner.read().by_hash.get(&hash).cloned()
    }

    /// Whether there is a transaction with this hash.
    pub fn contains(&self, hash: B256) -> bool {
        self.inner.read().by_hash.contains_key(&hash)
    }

    /// Hashes of those that pay most at this base fee, best first, and no more than `limit`.
    pub fn best(&self, base_fee: u64, limit: usize) -> Vec<B256> {
        let inner = self.inner.read();
        let key = |(hash, transaction): (&B256, &VerifiedTransaction)| {
            (Reverse(transaction.effective_tip(base_fee)), *hash)
        };
        let mut all: Vec<_> = inner.by_hash.iter().map(key).collect();
        drop(inner);
        if limit < all.len() {
            all.select_nth_unstable(limit);
            all.truncate(limit);
        }
        all.sort_unstable();
        all.into_iter().map(|(_, hash)| hash).collect()
    }

    /// Calls `visit` with the hash of each.
    pub fn each_hash(&self, visit: impl FnMut(&B256)) {
        self.inner.read().by_hash.keys().for_each(visit);
    }

    /// Why the transaction left the pool, if that was not long ago and not into a block.
    pub fn gone(&self, hash: B256) -> Option<Gone> {
        self.inner.read().gone.get(&hash).cloned()
    }

    /// How many transactions are held.
    pub fn len(&self) -> usize {
        self.inner.read().by_hash.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All transactions of `sender`.
    pub fn of(&self, sender: Address) -> Queue {
        let inner = self.inner.read();
        inner.by_sender.get(&sender).cloned().unwrap_or_default()
    }

    /// All transactions. The clones share their bytes with the mirror.
    pub fn all(&self) -> BTreeMap<Address, Queue> {
        self.inner.read().by_sender.clone()
    }
}

impl Inner {
    fn insert(&mut self, transaction: VerifiedTransaction) {
        let hash = transaction.hash();
        self.newcomer(hash);
        let queue = self.by_sender.entry(transaction.sender()).or_default();
        let replaced = queue.insert(transaction.nonce(), transaction.clone());
        self.by_hash.insert(hash, transaction);
        if let Some(old) = replaced.map(|old| old.hash()).filter(|old| *old != hash) {
            self.by_hash.remove(&old);
            self.remember(old, Gone::Replaced { by: hash });
        }
    }

    /// Also remembers why a transaction of a block that was undone did not come back.
    fn remove(&mut self, hash: B256, gone: Gone) {
        if let Some(transaction) = self.by_hash.remove(&hash) {
            let sender = transaction.sender();
            if let Some(queue) = self.by_sender.get_mut(&sender) {
                queue.remove(&transaction.nonce());
                if queue.is_empty() {
                    self.by_sender.remove(&sender);
                }
            }
        }
        if gone != Gone::Dropped(DropReason::Mined) {
            self.remember(hash, gone);
        }
    }

    fn newcomer(&mut self, hash: B256) {
        self.arrived = self.arrived.saturating_add(1);
        self.newcomers.push_back(hash);
        if self.newcomers.len() > NEWCOMERS {
            self.newcomers.pop_front();
        }
    }

    fn remember(&mut self, hash: B256, gone: Gone) {
        if self.gone.insert(hash, gone).is_none() {
            self.gone_order.push_back(hash);
        }
        if self.gone_order.len() > REMEMBERED {
            let oldest = self.gone_order.pop_front();
            oldest.map(|oldest| self.gone.remove(&oldest));
        }
    }
}

/// The first nonce from `nonce` on that is not in `queue`: the one to use next by a sender
/// whose account stands at `nonce`.
pub fn end_of_run(queue: &Queue, nonce: u64) -> u64 {
    let mut next = nonce;
    for taken in queue.range(nonce..).map(|(taken, _)| *taken) {
        if taken != next {
            break;
        }
        next = next.saturating_add(1);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::tests::transfers;

    fn pool_of(nonces: &[u64]) -> (PoolMirror, Vec<VerifiedTransaction>) {
        let pool = PoolMirror::default();
        let transactions = transfers(nonces, 1);
        pool.apply(transactions.clone(), []);
        (pool, transactions)
    }

    #[test]
    fn the_next_nonce_is_the_first_without_a_transaction() {
        let (pool, transactions) = pool_of(&[3, 4, 6]);
        let sender = transactions[0].sender();
        for (account, next) in [(0, 0), (3, 5), (4, 5), (5, 5), (6, 7), (9, 9)] {
            let found = end_of_run(&pool.of(sender), account);
            assert_eq!(found, next, "account at {account}");
        }
        assert_eq!(end_of_run(&pool.of(Address::ZERO), 2), 2);
    }

    #[test]
    fn what_comes_and_goes_leaves_no_trace_but_its_reason() {
        let (pool, old) = pool_of(&[0, 1]);
        let new = transfers(&[0], 2).remove(0);
        let replaced = Gone::Replaced { by: new.hash() };
        pool.apply([new.clone()], [(old[0].hash(), replaced.clone())]);
        assert_eq!(pool.gone(old[0].hash()), Some(replaced));
        assert_eq!(pool.get(old[0].hash()), None);
        assert_eq!(pool.len(), 2);
        let mined = |transaction: &VerifiedTransaction| {
            (transaction.hash(), Gone::Dropped(DropReason::Mined))
        };
        pool.apply([], [mined(&new), mined(&old[1])]);
        assert!(pool.is_empty() && pool.all().is_empty());
        assert_eq!(
            pool.gone(new.hash()),
            None,
            "what is mined is in the chain, not gone"
        );
    }

    #[test]
    fn what_does_not_come_back_has_a_reason() {
        let (pool, present) = pool_of(&[0]);
        let undone = transfers(&[7], 1).remove(0);
        let reason = Gone::Dropped(DropReason::NonceUsed {
            sender: undone.sender(),
            got: 7,
            expected: 8,
        });
        pool.apply([], [(undone.hash(), reason.clone())]);
        assert_eq!(pool.gone(undone.hash()), Some(reason));
        assert_eq!(pool.all().len(), present.len());
    }

    #[test]
    fn a_newcomer_takes_the_place_of_its_nonce() {
        let (pool, old) = pool_of(&[0]);
        let new = transfers(&[0], 2).remove(0);
        pool.apply([new.clone()], []);
        assert_eq!(pool.len(), 1);
        assert_eq!(
            pool.gone(old[0].hash()),
            Some(Gone::Replaced { by: new.hash() })
        );
    }

    #[test]
    fn the_best_pay_most() {
        let pool = PoolMirror::default();
        let paying = |tip: u8| transfers(&[tip.into()], tip.into()).remove(0);
        let mut ascending: Vec<_> = [1, 2, 3, 4].map(paying).into();
        pool.apply(ascending.clone(), []);
        ascending.reverse();
        let hashes: Vec<_> = ascending
            .iter()
            .map(|transaction| transaction.hash())
            .collect();
        assert_eq!(pool.best(1, 9), hashes);
        assert_eq!(pool.best(1, 4), hashes);
        assert_eq!(pool.best(1, 3), hashes[..3]);
        assert!(pool.best(1, 0).is_empty());
    }

    #[test]
    fn newcomers_are_told_once_to_each_who_counts() {
        let (pool, transactions) = pool_of(&[0, 1]);
        let hashes: Vec<_> = transactions
            .iter()
            .map(|transaction| transaction.hash())
            .collect();
        assert_eq!(pool.newcomers(0), (hashes.clone(), 2));
        assert_eq!(pool.newcomers(1), (hashes[1..].to_vec(), 2));
        let news = pool.arrivals();
        pool.apply([], [(hashes[0], Gone::Evicted)]);
        assert!(!news.has_changed().unwrap(), "nothing came");
        let late = transfers(&[2], 1);
        pool.apply(late.clone(), []);
        assert!(news.has_changed().unwrap());
        assert_eq!(pool.newcomers(2), (vec![late[0].hash()], 3));
        assert_eq!(pool.newcomers(3), (vec![], pool.arrived()));
    }

    #[test]
    fn only_so_many_newcomers_are_remembered() {
        let mut inner = Inner::default();
        let hash = |number: usize| B256::from(alloy_primitives::U256::from(number));
        (0..NEWCOMERS + 10).for_each(|number| inner.newcomer(hash(number)));
        let arrivals = inner.arrived;
        let pool = PoolMirror {
            inner: RwLock::new(inner),
            ..PoolMirror::default()
        };
        let (hashes, count) = pool.newcomers(0);
        assert_eq!((hashes.len(), count), (NEWCOMERS, arrivals));
        assert_eq!(hashes[0], hash(10));
    }

    #[test]
    fn only_so_many_reasons_are_remembered() {
        let mut inner = Inner::default();
        let hash = |number: usize| B256::from(alloy_primitives::U256::from(number));
        for number in 0..REMEMBERED + 10 {
            inner.remember(hash(number), Gone::Evicted);
        }
        assert_eq!(
            (inner.gone.len(), inner.gone_order.len()),
            (REMEMBERED, REMEMBERED)
        );
        assert!(!inner.gone.contains_key(&hash(9)) && inner.gone.contains_key(&hash(10)));
    }
}
