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
//! Headers take memory only up to [`HEADER_WINDOW`]. A chain that needs more of them to show
//! its work is read twice: the first time only its work is summed up.
//!
//! Deliberately absent: any trust in what a peer says. A claim only decides who is asked.

mod branch;
mod chain;
mod locator;

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::{B256, Bytes, U256};
use cairn_genesis::{BlockFault, VerifiedBlock};

use super::check::Check;
use super::fault::{Fault, Goodbye};
use super::io::{Io, Open, Purpose};
use super::limits::{
    ANSWER_TIMEOUT_MS, HEADER_WINDOW, MAX_BODIES, MAX_BODIES_TIMEOUT_MS, MAX_HEADERS, MAX_STALLS,
    MIN_BODIES_TIMEOUT_MS,
};
use super::message::{Request, SealedPair};
use super::{Output, Peer, RequestId};
use crate::chain::{BlockError, ChainView, OPERATOR_REASON};
use crate::store::StoreError;
use branch::Branch;
use chain::{Extended, HeaderChain, Link};

/// Requests for bodies that one peer has at a time: while it sends one answer, the next
/// question is on its way.
const BODIES_OPEN: usize = 2;

/// How much of a peer's time one request for bodies is to take.
const BODIES_REQUEST_MS: u64 = 1_000;

/// How long a branch may bring nothing new before it counts as withheld.
const WITHHELD_MS: u64 = 60_000;

/// How long a peer is not asked again for what it did not have.
const REST_MS: u64 = 5_000;

/// Blocks that were withheld or cannot be taken in, so that their branches are not begun
/// again at once.
const MAX_REFUSED: usize = 64;

/// How long a branch with such a block is refused: others have their chance meanwhile. What
/// is marked invalid is refused for good.
const REFUSED_MS: u64 = 30_000;

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

/// Headers on their way from one peer.
#[derive(Debug)]
struct Fetch {
    peer: Peer,
    request: RequestId,
    /// What has come; `None` before the first answer.
    chain: Option<HeaderChain>,
    /// Where the chain left ours, once its front had to be let go of.
    dropped_from: Option<Arc<Link>>,
    /// Work that a first reading has shown.
    proven: U256,
    /// What the peer claimed when this began.
    claimed: U256,
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
    refused: VecDeque<(B256, u64)>,
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

    /// Whether a branch is being fetched that ends above the next block.
    pub fn is_far_behind(&self, tip_number: u64) -> bool {
        let branch = self.branch.as_ref();
        branch.is_some_and(|branch| branch.tip().header.number > tip_number + 1)
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

    /// Begins to read headers from the peer that claims most, if that is more than we know.
    fn begin_fetch(&mut self, io: &mut Io<'_>) -> Result<(), StoreError> {
        if self.fetch.is_some()
            || self
                .branch
                .as_ref()
                .is_some_and(|branch| !branch.has_room())
        {
            return Ok(());
        }
        let ours = self.best_work(io);
        let now_ms = io.now.ms;
        let candidates = io
            .peers
            .ready()
            .filter(|(_, state)| state.claim.work > ours && state.rests_until_ms <= now_ms);
        // Who lets us wait comes after those who do not, whatever it claims: a claim costs
        // nothing. Of equal claims the fastest, then the first.
        let best = candidates.max_by_key(|(peer, state)| {
            let patient = std::cmp::Reverse(state.stalls);
            (
                patient,
                state.claim.work,
                state.speed,
                std::cmp::Reverse(*peer),
            )
        });
        let Some((peer, state)) = best else {
            return Ok(());
        };
        let claimed = state.claim.work;
        tracing::trace!(peer = peer.0, %claimed, "asking for headers");
        let view = match ChainView::open(io.world.store) {
            Err(StoreError::Reorganizing) => return Ok(()),
            view => view?,
        };
        let mut locator = locator::locator(&view)?;
        if let Some(branch) = &self.branch {
            locator.truncate(super::limits::MAX_LOCATOR - 1);
            locator.insert(0, branch.tip().hash);
        }
        let request = io.ask(
            peer,
            Purpose::Headers,
            Request::Headers { locator },
            ANSWER_TIMEOUT_MS,
        );
        self.fetch = Some(Fetch {
            peer,
            request,
            chain: None,
            dropped_from: None,
            proven: U256::ZERO,
            claimed,
        });
        Ok(())
    }

    /// Work that a chain must have more of to be of interest.
    fn best_work(&self, io: &Io<'_>) -> U256 {
        let branch = self
            .branch
            .as_ref()
            .map_or(U256::ZERO, |branch| branch.tip().work);
        io.tip.work.max(branch)
    }

    /// Takes in headers, or that none came.
    pub fn headers(
        &mut self,
        io: &mut Io<'_>,
        id: RequestId,
        open: &Open,
        headers: Option<Vec<SealedPair>>,
    ) -> Result<(), StoreError> {
        let Some(mut fetch) = self.fetch.take_if(|fetch| fetch.request == id) else {
            return Ok(());
        };
        let Some(headers) = headers else {
            stalled(io, open.peer);
            return Ok(());
        };
        let full = headers.len() >= MAX_HEADERS;
        let Some(fresh) = self.place(io, &mut fetch, headers)? else {
            return Ok(());
        };
        let now_s = io.now.s();
        let spec = Arc::clone(io.spec);
        let Some(chain) = &mut fetch.chain else {
            // It has nothing above what we share.
            self.shown(io, &fetch, U256::ZERO, true);
            return Ok(());
        };
        match chain.extend(&spec, now_s, &fresh) {
            Err(fault) => io.punish(fetch.peer, fault),
            Ok(extended) => self.go_on(io, fetch, full, extended),
        }
        Ok(())
    }

    /// Finds what the headers follow, and leaves out those that are known. `None` if the
    /// answer is not to be used.
    fn place(
        &mut self,
        io: &mut Io<'_>,
        fetch: &mut Fetch,
        headers: Vec<SealedPair>,
    ) -> Result<Option<Vec<SealedPair>>, StoreError> {
        let view = match ChainView::open(io.world.store) {
            Err(StoreError::Reorganizing) => return Ok(None),
            view => view?,
        };
        if let Some(reason) = self.refusal(io, &view, &headers)? {
            match reason == OPERATOR_REASON {
                true => io.peers.lower_claim(fetch.peer, U256::ZERO),
                false => io.disconnect(fetch.peer, Goodbye::InvalidChain(reason)),
            }
            return Ok(None);
        }
        if fetch.chain.is_some() {
            return Ok(Some(headers));
        }
        let Some((first, _)) = headers.first() else {
            return Ok(Some(headers));
        };
        let Some(mut base) = self.base(&view, first.parent_hash)? else {
            io.punish(fetch.peer, Fault::Headers);
            return Ok(None);
        };
        let mut known = 0;
        for pair in &headers {
            let hash = cairn_genesis::block_hash(&pair.0, &pair.1);
            let Some(next) = self.base(&view, hash)? else {
                break;
            };
            base = next;
            known += 1;
        }
        if let Some(branch) = &self.branch
            && branch.tip().hash == base.hash
        {
            fetch.proven = branch.proven();
        }
        fetch.chain = Some(HeaderChain::new(base));
        Ok(Some(headers[known..].to_vec()))
    }

    /// A block that headers may follow: in the branch, or stored.
    fn base(&self, view: &ChainView<'_>, hash: B256) -> Result<Option<Arc<Link>>, StoreError> {
        if let Some(branch) = &self.branch
            && let Some(position) = branch.position(hash)
        {
            return Ok(Some(Arc::clone(branch.link(position))));
        }
        Ok(view.header(hash)?.map(|record| Arc::new(record.into())))
    }

    /// Why a chain with these headers is not wanted, if it is not.
    fn refusal(
        &self,
        io: &Io<'_>,
        view: &ChainView<'_>,
        headers: &[SealedPair],
    ) -> Result<Option<String>, StoreError> {
        for (header, seal) in headers {
            let hash = cairn_genesis::block_hash(header, seal);
            if let Some(reason) = view.invalid_reason(hash)? {
                return Ok(Some(reason));
            }
            let mut refused = self.refused.iter();
            if refused.any(|(refused, until_ms)| *refused == hash && *until_ms > io.now.ms) {
                return Ok(Some(OPERATOR_REASON.to_owned()));
            }
        }
        Ok(None)
    }

    /// After headers were added: take the chain over, read on, or be done.
    fn go_on(&mut self, io: &mut Io<'_>, mut fetch: Fetch, more: bool, extended: Extended) {
        let Some(chain) = &mut fetch.chain else {
            return;
        };
        let work = chain.tip().work;
        let heavier = work > self.best_work(io);
        let second = fetch.proven > self.best_work(io);
        if heavier && let Some(base) = fetch.dropped_from.take() {
            // Its work is shown; now its headers are needed as well.
            fetch.proven = work;
            let locator = vec![base.hash];
            fetch.chain = Some(HeaderChain::new(base));
            return self.ask_headers(io, fetch, locator);
        }
        let full = chain.links.len() + MAX_HEADERS > HEADER_WINDOW;
        if heavier || (second && full) {
            if let Some(chain) = fetch.chain.take() {
                self.adopt(io, chain, fetch.proven.max(work));
            }
            return;
        }
        if !more || extended == Extended::NotYet {
            return self.shown(io, &fetch, work, extended == Extended::All);
        }
        if full {
            fetch.dropped_from.get_or_insert(Arc::clone(&chain.base));
            chain.forget();
        }
        let locator = vec![chain.tip().hash];
        self.ask_headers(io, fetch, locator);
    }

    fn ask_headers(&mut self, io: &mut Io<'_>, mut fetch: Fetch, locator: Vec<B256>) {
        if io.peers.is_ready(fetch.peer) {
            let request = Request::Headers { locator };
            fetch.request = io.ask(fetch.peer, Purpose::Headers, request, ANSWER_TIMEOUT_MS);
            self.fetch = Some(fetch);
        }
    }

    /// The peer has shown all that it has, which is not more than we know. It is to blame if
    /// it claimed more, unless what it has lies in our future.
    fn shown(&self, io: &mut Io<'_>, fetch: &Fetch, work: U256, blame: bool) {
        let ours = self.best_work(io);
        // What it claimed may be what we have by now.
        if blame && fetch.claimed > ours {
            io.punish(fetch.peer, Fault::Claim);
        }
        io.peers.lower_claim(fetch.peer, work.max(ours));
    }

    /// Begins to fetch the bodies of a chain that is heavier than all we know.
    fn adopt(&mut self, io: &Io<'_>, chain: HeaderChain, proven: U256) {
        let base = chain.base.hash;
        tracing::debug!(
            from = chain.base.header.number,
            to = chain.tip().header.number,
            hash = %chain.tip().hash,
            "fetching the blocks of a heavier chain"
        );
        if self.branch.is_none() {
            self.starting = io.tip.number();
        }
        match &mut self.branch {
            Some(branch) if branch.tip().hash == base => branch.append(chain),
            Some(branch) if let Some(position) = branch.position(base) => {
                branch.fork(position, chain);
            }
            _ => self.branch = Some(Branch::new(io.now.ms, chain, proven)),
        }
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
            branch.imported(&[hash]);
        }
        Ok(())
    }

    fn ask_bodies(&mut self, io: &mut Io<'_>) {
        let Some(branch) = &mut self.branch else {
            return;
        };
        let now_ms = io.now.ms;
        let mut peers: Vec<_> = io
            .peers
            .ready()
            .filter(|(_, state)| state.rests_until_ms <= now_ms)
            .filter(|(_, state)| state.claim.work >= branch.base_work())
            .map(|(peer, state)| (std::cmp::Reverse(state.speed), peer))
            .collect();
        peers.sort();
        for (_, peer) in peers {
            while let Some(state) = io.peers.get_mut(peer)
                && state.bodies_open < BODIES_OPEN
            {
                let bytes = state.speed.saturating_mul(BODIES_REQUEST_MS) / 1000;
                let count = branch.bodies_in(bytes).clamp(1, MAX_BODIES);
                let blocks = branch.wanted(peer, count);
                if blocks.is_empty() {
                    break;
                }
                state.bodies_open += 1;
                let bytes = (blocks.len() * branch.average_bytes()) as u64;
                let timeout_ms =
                    state.patience_ms(bytes, MIN_BODIES_TIMEOUT_MS, MAX_BODIES_TIMEOUT_MS);
                let request = Request::Bodies {
                    blocks: blocks.clone(),
                };
                let id = io.ask(peer, Purpose::Bodies, request, timeout_ms);
                for hash in blocks {
                    branch.asked(hash, peer, id);
                }
            }
        }
    }

    /// Takes in bodies, or that none came.
    pub fn bodies(
        &mut self,
        io: &mut Io<'_>,
        id: RequestId,
        open: &Open,
        bodies: Option<Vec<Bytes>>,
    ) {
        if let Some(state) = io.peers.get_mut(open.peer) {
            state.bodies_open = state.bodies_open.saturating_sub(1);
        }
        if let Some(branch) = &mut self.branch {
            branch.unasked(id);
        }
        let Some(bodies) = bodies else {
            stalled(io, open.peer);
            return;
        };
        let bytes = bodies.iter().map(|body| body.len()).sum::<usize>();
        let now_ms = io.now.ms;
        if let Some(state) = io.peers.get_mut(open.peer) {
            match bodies.is_empty() {
                // It has not got there itself.
                true => state.rests_until_ms = now_ms + REST_MS,
                false => state.measured(bytes, now_ms.saturating_sub(open.sent_ms)),
            }
        }
        let Request::Bodies { blocks } = &open.request else {
            return;
        };
        for (hash, body) in blocks.iter().zip(bodies) {
            let branch = self.branch.as_mut();
            let link = branch.and_then(|branch| branch.arrived(*hash, open.peer, body.len()));
            if let Some(link) = link {
                io.out.push(Output::Check(Check::Body {
                    peer: open.peer,
                    block: link.hash,
                    header: link.header.clone(),
                    seal: link.seal,
                    body,
                }));
            }
        }
    }

    /// Takes in a body that was checked.
    pub fn checked(
        &mut self,
        io: &mut Io<'_>,
        peer: Peer,
        block: B256,
        result: Result<Box<VerifiedBlock>, BlockFault>,
    ) {
        match result {
            Ok(checked) => {
                if let Some(branch) = &mut self.branch {
                    branch.checked(io.now.ms, block, peer, Some(checked));
                }
            }
            Err(BlockFault::Mutated { .. }) => {
                if let Some(branch) = &mut self.branch {
                    branch.checked(io.now.ms, block, peer, None);
                }
                io.punish(peer, Fault::Body);
            }
            Err(BlockFault::Invalid(invalid)) => {
                tracing::info!(hash = %block, %invalid, "a chain with more work than ours has an invalid block");
                self.refuse(io.now.ms, block);
            }
        }
    }

    fn import(&mut self, io: &mut Io<'_>) {
        let Some(branch) = &mut self.branch else {
            return;
        };
        if self.importing.is_some() {
            return;
        }
        let blocks = branch.next_import();
        if let Some(first) = blocks.first() {
            self.importing = Some(first.hash());
            io.out.push(Output::Import {
                blocks,
                proven_work: branch.proven(),
            });
        }
    }

    /// Takes in what became of blocks that the core was given, by this machine or by the
    /// relay.
    pub fn imported(
        &mut self,
        io: &Io<'_>,
        blocks: &[B256],
        result: &Result<(), (usize, BlockError)>,
    ) {
        if self.importing.is_some() && self.importing == blocks.first().copied() {
            self.importing = None;
        }
        let Some(branch) = &mut self.branch else {
            return;
        };
        let taken = result
            .as_ref()
            .map_or_else(|(count, _)| *count, |()| blocks.len());
        branch.imported(&blocks[..taken]);
        let Err((_, error)) = result else { return };
        let failed = blocks.get(taken).copied().unwrap_or_default();
        if branch.position(failed).is_some() {
            tracing::info!(hash = %failed, %error, "a chain with more work than ours is not taken over");
            match error {
                BlockError::NotYet(_) => self.leave_branch(),
                _ => self.refuse(io.now.ms, failed),
            }
        }
    }

    /// Gives up a branch whose bodies nobody sends.
    fn give_up_withheld(&mut self, io: &mut Io<'_>) {
        let Some(branch) = &self.branch else { return };
        if self.importing.is_some() || io.now.ms.saturating_sub(branch.progress_ms()) < WITHHELD_MS
        {
            return;
        }
        let Some(front) = branch.front() else { return };
        let hash = front.hash;
        tracing::info!(%hash, "nobody sends the blocks of a chain with more work than ours: it is left aside");
        self.refuse(io.now.ms, hash);
    }

    fn leave_branch(&mut self) {
        self.branch = None;
        self.fetch = None;
    }

    fn refuse(&mut self, now_ms: u64, block: B256) {
        self.leave_branch();
        self.refused
            .push_back((block, now_ms.saturating_add(REFUSED_MS)));
        if self.refused.len() > MAX_REFUSED {
            self.refused.pop_front();
        }
    }
}

/// Takes in that a peer did not answer.
fn stalled(io: &mut Io<'_>, peer: Peer) {
    let rests_until_ms = io.now.ms.saturating_add(REST_MS);
    if let Some(state) = io.peers.get_mut(peer) {
        state.stalled();
        state.rests_until_ms = rests_until_ms;
        if state.stalls >= MAX_STALLS {
            io.disconnect(peer, Goodbye::Stalled);
        }
    }
}
