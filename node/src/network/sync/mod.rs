//! Heavier chains: headers first, from one peer at a time, and then bodies from all.
//!
//! ```text
//! claim > tip ──► Fetch: headers from the fork point, each checked ──► more work than the tip?
//!                   │ shown less: the claim is lowered                     │ yes
//!                   ▼                                                      ▼
//!                 (next claim)                             Branch: bodies, checked, in order
//!                                                                          │
//!                                                                        core
//! ```
//!
//! Headers take memory only up to a window (`HEADER_WINDOW` of the limits). A chain that needs more of them to show
//! its work is read twice: the first time only its work is summed up.
//!
//! Deliberately absent: any trust in what a peer says. A claim only decides who is asked.

mod bodies;
mod branch;
mod chain;
mod fetch;
mod locator;

use std::collections::VecDeque;

use alloy_primitives::B256;

use super::fault::Goodbye;
use super::io::{Io, Open};
use super::limits::MAX_STALLS;
use crate::store::StoreError;
use branch::Branch;
use fetch::Fetch;

/// How long the next block of a branch may stay away before the branch counts as withheld.
const WITHHELD_MS: u64 = 60_000;

/// The same where somebody claims another chain with more work than ours, and all who were asked
/// have refused or let their time pass: long enough to ask them twice.
const WITHHELD_BESIDE_OTHERS_MS: u64 = 15_000;

/// The same where nobody claims another chain, and there are still peers who could be asked.
const MOST_WITHHELD_MS: u64 = 300_000;

/// How long a peer is not asked again for what it did not have.
const REST_MS: u64 = 5_000;

/// Blocks that are remembered so that others than their chains have a turn.
const MAX_REFUSED: usize = 64;

/// For how long. What is marked invalid is refused for good.
const REFUSED_MS: u64 = 30_000;

/// A block whose chains are not wanted for a while.
#[derive(Debug)]
struct Refused {
    block: B256,
    until_ms: u64,
    /// Nobody sent it, which may have been chance: its chains are wanted where nothing else is to be
    /// had.
    is_withheld: bool,
}

/// How sync stands, for people and for `eth_syncing`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncStatus {
    /// Whether more than the next block is missing.
    pub active: bool,
    /// Height of the tip when the node began to catch up.
    pub starting: u64,
    /// Height of the tip.
    pub current: u64,
    /// Height of the highest block whose header is known to be good or claimed.
    pub highest: u64,
    /// Peers that have told who they are.
    pub peers: usize,
}

/// The sync machine.
#[derive(Debug, Default)]
pub(super) struct Sync {
    fetch: Option<Fetch>,
    branch: Option<Branch>,
    /// The first of the branch's blocks that the core is working on.
    importing: Option<B256>,
    /// Height of the tip when the node began to catch up.
    starting: u64,
    refused: VecDeque<Refused>,
}

impl Sync {
    /// How sync stands.
    pub fn status(&self, tip_number: u64, claimed: u64, peers: usize) -> SyncStatus {
        let branch = self
            .branch
            .as_ref()
            .map_or(0, |branch| branch.tip().header.number);
        let highest = match (&self.branch, &self.fetch) {
            (Some(_), _) | (None, Some(_)) => branch.max(claimed).max(tip_number),
            (None, None) => tip_number,
        };
        SyncStatus {
            active: highest > tip_number + 1,
            starting: self.starting.min(tip_number),
            current: tip_number,
            highest,
            peers,
        }
    }

    /// Headers held, and bytes of bodies held.
    pub fn held(&self) -> (usize, usize) {
        let fetch = self.fetch.as_ref().and_then(|fetch| fetch.chain.as_ref());
        let fetched = fetch.map_or(0, |chain| chain.links.len());
        let (headers, bytes) = self.branch.as_ref().map_or((0, 0), Branch::held);
        (fetched + headers, bytes)
    }

    /// Does whatever can be done now.
    pub fn advance(&mut self, io: &mut Io<'_>) -> Result<(), StoreError> {
        self.give_up_withheld(io);
        self.skip_present(io)?;
        self.import(io);
        self.begin_fetch(io)?;
        self.ask_bodies(io);
        Ok(())
    }

    /// Lets go of blocks at the front that are stored already: from before a restart, or
    /// come by gossip.
    fn skip_present(&mut self, io: &Io<'_>) -> Result<(), StoreError> {
        if self.importing.is_some() {
            return Ok(());
        }
        while let Some(branch) = &mut self.branch {
            let Some(front) = branch.front() else {
                self.branch = None;
                break;
            };
            let hash = front.hash;
            if crate::chain::view::find_header(io.world.store, hash)?.is_none() {
                break;
            }
            branch.imported(io.now.ms, &[hash]);
        }
        Ok(())
    }

    /// Gives up a branch whose bodies nobody sends.
    fn give_up_withheld(&mut self, io: &mut Io<'_>) {
        let Some(branch) = &self.branch else { return };
        let Some(awaited) = branch.awaited() else {
            return;
        };
        let may_be_asked = io.peers.ready().any(|(peer, state)| {
            state.claim.work >= branch.base_work() && !awaited.askers.contains(&peer)
        });
        let is_open = may_be_asked || awaited.is_asked;
        let patience_ms = match Self::is_elsewhere(io, branch) {
            true if !is_open => WITHHELD_BESIDE_OTHERS_MS,
            false if may_be_asked => MOST_WITHHELD_MS,
            _ => WITHHELD_MS,
        };
        let waited_ms = io.now.ms.saturating_sub(awaited.since_ms);
        if waited_ms < patience_ms {
            return;
        }
        let hash = awaited.hash;
        tracing::info!(%hash, "nobody sends the blocks of a chain with more work than ours: others come first");
        if let Some(state) = io.peers.get_mut(branch.shown_by()) {
            state.unmet = state.unmet.saturating_add(1);
        }
        self.refuse(io.now.ms, hash, true);
    }

    /// Whether somebody claims another chain than this branch, heavier than ours; one that is heavier
    /// than the branch, too, would be asked for anyway.
    fn is_elsewhere(io: &Io<'_>, branch: &Branch) -> bool {
        io.peers.ready().any(|(_, state)| {
            let claim = &state.claim;
            let is_between = claim.work > io.tip.work && claim.work <= branch.proven();
            is_between && branch.position(claim.head).is_none()
        })
    }

    fn leave_branch(&mut self) {
        self.branch = None;
        self.fetch = None;
    }

    /// Leaves the branch for this block of it.
    fn refuse(&mut self, now_ms: u64, block: B256, is_withheld: bool) {
        self.leave_branch();
        self.refused.push_back(Refused {
            block,
            until_ms: now_ms.saturating_add(REFUSED_MS),
            is_withheld,
        });
        if self.refused.len() > MAX_REFUSED {
            self.refused.pop_front();
        }
    }
}

/// Takes in that a peer did not answer. One that says so at once only has too much to do.
fn unanswered(io: &mut Io<'_>, open: &Open) {
    let now_ms = io.now.ms;
    if let Some(state) = io.peers.get_mut(open.peer) {
        state.no_headers_until_ms = now_ms.saturating_add(REST_MS);
        state.no_bodies_until_ms = state.no_headers_until_ms;
        if now_ms >= open.deadline_ms {
            state.stalled();
            if state.stalls >= MAX_STALLS {
                io.disconnect(open.peer, Goodbye::Stalled);
            }
        }
    }
}
