//! What a run came to.

use std::collections::BTreeMap;
use std::fmt;

use alloy_primitives::B256;

use super::lies::Lie;

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Height of the chain in the end, summed over runs.
    pub blocks: u64,
    /// Transactions in it.
    pub transactions: u64,
    /// Times that a node changed its branch.
    pub reorgs: u64,
    /// The deepest of these.
    pub deepest: usize,
    /// Crashes.
    pub crashes: u64,
    /// How often honest nodes have banned liars, by what those did.
    pub bans: BTreeMap<Lie, u64>,
    /// Liars that were left because their chain is invalid.
    pub invalid_chains: u64,
    /// Headers that liars made up and showed.
    pub headers: u64,
    /// The longest chain of these, as far as it was shown.
    pub longest: usize,
    /// How long blocks that were found in the calm time took to all honest nodes, in milliseconds.
    pub spread_ms: Vec<u64>,
    /// Messages.
    pub messages: u64,
    /// What all messages were, in order.
    pub digest: B256,
}

impl std::ops::AddAssign for Summary {
    fn add_assign(&mut self, other: Self) {
        self.blocks += other.blocks;
        self.transactions += other.transactions;
        self.reorgs += other.reorgs;
        self.deepest = self.deepest.max(other.deepest);
        self.crashes += other.crashes;
        for (lie, bans) in other.bans {
            *self.bans.entry(lie).or_default() += bans;
        }
        self.invalid_chains += other.invalid_chains;
        self.headers += other.headers;
        self.longest = self.longest.max(other.longest);
        self.spread_ms.extend(other.spread_ms);
        self.messages += other.messages;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (median_ms, worst_ms) = self.spread();
        write!(
            f,
            "{} blocks, {} transactions, {} reorganizations (deepest {}), {} crashes, bans of {:?}, {} invalid chains, {} headers of theirs ({} of one chain), blocks with all after {median_ms} ms (at worst {worst_ms}), {} messages",
            self.blocks,
            self.transactions,
            self.reorgs,
            self.deepest,
            self.crashes,
            self.bans,
            self.invalid_chains,
            self.headers,
            self.longest,
            self.messages
        )
    }
}

impl Summary {
    /// Median and worst of the times that blocks took, in milliseconds.
    fn spread(&self) -> (u64, u64) {
        let mut times_ms = self.spread_ms.clone();
        times_ms.sort_unstable();
        let median_ms = times_ms.get(times_ms.len() / 2);
        let worst_ms = times_ms.last();
        (
            median_ms.copied().unwrap_or_default(),
            worst_ms.copied().unwrap_or_default(),
        )
    }

    /// Fails unless all that the simulation is about has come up.
    pub fn assert_eventful(&self) {
        assert!(self.blocks > 1_000, "hardly any blocks: {self}");
        assert!(self.transactions > 1_000, "hardly any transactions: {self}");
        assert!(
            self.reorgs > 50 && self.deepest > 3,
            "hardly any reorganizations: {self}"
        );
        let (median_ms, _) = self.spread();
        assert!(
            self.spread_ms.len() > 500 && median_ms < 2_000,
            "news is slow: {self}"
        );
        assert!(self.crashes > 10, "hardly any crashes: {self}");
        for lie in Lie::ALL.into_iter().filter(|lie| lie.must_be_banned()) {
            assert!(self.bans.contains_key(&lie), "no ban of {lie:?}: {self}");
        }
        assert!(
            self.invalid_chains > 10,
            "hardly any invalid chains: {self}"
        );
        assert!(self.headers > 2_000, "hardly any made-up headers: {self}");
    }
}
