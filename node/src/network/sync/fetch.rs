//! Headers of a chain that may be heavier, from one peer at a time.

use std::cmp::Reverse;
use std::sync::Arc;

use alloy_primitives::{B256, U256};

use super::branch::Branch;
use super::chain::{Extended, HeaderChain, Link};
use super::{Refused, Sync, locator, unanswered};
use crate::chain::{ChainView, OPERATOR_REASON};
use crate::network::fault::{Fault, Goodbye};
use crate::network::io::{Io, Open, Purpose};
use crate::network::limits::{ANSWER_TIMEOUT_MS, HEADER_WINDOW, MAX_HEADERS, MAX_LOCATOR};
use crate::network::message::{Request, SealedPair};
use crate::network::peers::PeerState;
use crate::network::{Peer, RequestId};
use crate::store::StoreError;

/// Peers that send headers within this time are equally good; each doubling of it makes them
/// worse. Trades the claim that is worth most against whoever sends a header now and then.
const PROMPT_MS: u64 = 1_000;

/// How long headers may be read that do not show more work than we know, where others claim it as
/// well: they have their turn then. Enough for a million headers of a peer that is near.
const READING_MS: u64 = 60_000;

/// How long a peer is not asked again whose headers are of no use now: all are here and the core is
/// about to take them over, or a branch that is on its way has shown more.
const EXECUTING_MS: u64 = 1_000;

/// How long a peer is not asked again whose headers are those of a chain that was withheld, where
/// there is another: enough to ask many of its like and then the others.
const OTHERS_FIRST_MS: u64 = 10_000;

/// Headers on their way from one peer.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) peer: Peer,
    request: RequestId,
    began_ms: u64,
    /// What has come; `None` before the first answer.
    pub(super) chain: Option<HeaderChain>,
    /// Where the chain left ours, once its front had to be let go of.
    dropped_from: Option<Arc<Link>>,
    /// Work that a first reading has shown.
    proven: U256,
    /// What the peer claimed when this began.
    claimed: U256,
}

/// What headers are once it is known what they follow.
enum Placed {
    /// These are new, perhaps none.
    Fresh(Vec<SealedPair>),
    /// All of them are ours: this locator leads to where the peer's chain is not.
    Ours(Vec<B256>),
}

/// Why a chain is not wanted.
enum Refusal {
    /// The operator does not want one of its blocks, or it was not taken in lately.
    ForNow,
    /// One of its blocks was withheld lately, and there is another chain.
    Withheld,
    /// One of its blocks breaks a rule: this one.
    Invalid(String),
}

impl Sync {
    /// Begins to read headers from the peer that claims most, if that is more than we know.
    pub(super) fn begin_fetch(&mut self, io: &mut Io<'_>) -> Result<(), StoreError> {
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
            .filter(|(_, state)| state.claim.work > ours && state.no_headers_until_ms <= now_ms);
        // Those who let us wait have their turn one after the other; of equal claims the fastest comes
        // first.
        let best = candidates.min_by_key(|(peer, state)| {
            let trouble = trouble(state);
            let turn = (trouble > NONE).then_some(state.headers_asked_ms);
            let (work, speed) = (Reverse(state.claim.work), Reverse(state.speed));
            (trouble, turn, work, speed, *peer)
        });
        let Some((peer, _)) = best else {
            return Ok(());
        };
        let Some(state) = io.peers.get_mut(peer) else {
            return Ok(());
        };
        if !state.may_be_asked(now_ms) {
            return Ok(());
        }
        state.headers_asked_ms = now_ms;
        let claimed = state.claim.work;
        tracing::trace!(peer = peer.0, %claimed, "asking for headers");
        let view = match ChainView::open(io.world.store) {
            Err(StoreError::Reorganizing) => return Ok(()),
            view => view?,
        };
        let mut locator = locator::locator(&view)?;
        if let Some(branch) = &self.branch {
            locator.truncate(MAX_LOCATOR - 1);
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
            began_ms: now_ms,
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
            unanswered(io, open);
            return Ok(());
        };
        if let Some(state) = io.peers.get_mut(open.peer) {
            state.sent_headers(io.now.ms.saturating_sub(open.sent_ms));
        }
        let full = headers.len() >= MAX_HEADERS;
        let fresh = match self.place(io, &mut fetch, open, headers)? {
            None => return Ok(()),
            Some(Placed::Ours(locator)) => {
                self.ask_headers(io, fetch, locator);
                return Ok(());
            }
            Some(Placed::Fresh(fresh)) => fresh,
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
        open: &Open,
        headers: Vec<SealedPair>,
    ) -> Result<Option<Placed>, StoreError> {
        let view = match ChainView::open(io.world.store) {
            Err(StoreError::Reorganizing) => return Ok(None),
            view => view?,
        };
        let hash = |(header, seal): &SealedPair| cairn_genesis::block_hash(header, seal);
        let hashes: Vec<_> = headers.iter().map(hash).collect();
        match self.refusal(io, &view, fetch.peer, &hashes)? {
            None => {}
            Some(Refusal::Withheld) => {
                rest(io, fetch.peer, OTHERS_FIRST_MS);
                return Ok(None);
            }
            Some(Refusal::ForNow) => {
                io.peers.lower_claim(fetch.peer, U256::ZERO);
                return Ok(None);
            }
            Some(Refusal::Invalid(reason)) => {
                io.disconnect(fetch.peer, Goodbye::InvalidChain(reason));
                return Ok(None);
            }
        }
        let (Some((first, _)), None) = (headers.first(), &fetch.chain) else {
            return Ok(Some(Placed::Fresh(headers)));
        };
        let Request::Headers { locator } = &open.request else {
            return Ok(None);
        };
        let follow = follows(locator, first.parent_hash, &hashes);
        let base = self.base(&view, first.parent_hash)?;
        let (Some(follow), Some(mut base)) = (follow, base) else {
            unmet(io, fetch.peer, Fault::Headers);
            return Ok(None);
        };
        let mut known = 0;
        for hash in &hashes {
            let Some(next) = self.base(&view, *hash)? else {
                break;
            };
            base = next;
            known += 1;
        }
        if known == MAX_HEADERS
            && let Some(locator) = finer(&view, &base, &locator[..follow])?
        {
            return Ok(Some(Placed::Ours(locator)));
        }
        if let Some(branch) = &self.branch
            && branch.tip().hash == base.hash
        {
            fetch.proven = branch.proven();
        }
        fetch.chain = Some(HeaderChain::new(base));
        Ok(Some(Placed::Fresh(headers[known..].to_vec())))
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

    /// Why a chain with these headers, which this peer shows, is not wanted, if it is not.
    fn refusal(
        &self,
        io: &Io<'_>,
        view: &ChainView<'_>,
        peer: Peer,
        hashes: &[B256],
    ) -> Result<Option<Refusal>, StoreError> {
        let is_alone = self.branch.is_none() && self.least_trouble_elsewhere(io, peer).is_none();
        let stands = |refused: &&Refused| refused.until_ms > io.now.ms;
        for hash in hashes {
            match view.invalid_reason(*hash)? {
                None => {}
                Some(reason) if reason == OPERATOR_REASON => return Ok(Some(Refusal::ForNow)),
                Some(reason) => return Ok(Some(Refusal::Invalid(reason))),
            }
            let mut refused = self.refused.iter().filter(stands);
            match refused.find(|refused| refused.block == *hash) {
                Some(refused) if !refused.is_withheld => return Ok(Some(Refusal::ForNow)),
                Some(_) if !is_alone => return Ok(Some(Refusal::Withheld)),
                Some(_) | None => {}
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
        if (heavier || second) && !chain.links.is_empty() {
            let proven = fetch.proven.max(work);
            let branch = self.branch.as_ref();
            if branch.is_some_and(|branch| branch.outweighs(chain.base.hash, proven)) {
                rest(io, fetch.peer, EXECUTING_MS);
                return self.shown(io, &fetch, work, false);
            }
            if let Some(chain) = fetch.chain.take() {
                self.adopt(io, fetch.peer, chain, proven);
            }
            if !more && extended == Extended::All {
                self.shown(io, &fetch, work, true);
            }
            return;
        }
        if !more || extended == Extended::NotYet {
            // All of it is here, and the core is about to take it over.
            if heavier {
                rest(io, fetch.peer, EXECUTING_MS);
            }
            return self.shown(io, &fetch, work, extended == Extended::All && !heavier);
        }
        if full {
            fetch.dropped_from.get_or_insert(Arc::clone(&chain.base));
            chain.forget();
        }
        let locator = vec![chain.tip().hash];
        self.ask_headers(io, fetch, locator);
    }

    /// Reads on, unless others should have their turn.
    fn ask_headers(&mut self, io: &mut Io<'_>, mut fetch: Fetch, locator: Vec<B256>) {
        let least = self.least_trouble_elsewhere(io, fetch.peer);
        let Some(state) = io.peers.get_mut(fetch.peer) else {
            return;
        };
        if least.is_some_and(|least| least < trouble(state)) {
            return;
        }
        // The next time it may read for longer, so that a long way is come to its end.
        let patience_ms = READING_MS << state.unmet.min(8);
        if least.is_some() && io.now.ms.saturating_sub(fetch.began_ms) > patience_ms {
            state.unmet += 1;
            return;
        }
        let request = Request::Headers { locator };
        fetch.request = io.ask(fetch.peer, Purpose::Headers, request, ANSWER_TIMEOUT_MS);
        self.fetch = Some(fetch);
    }

    /// The trouble of the best of the others who claim more than we know.
    fn least_trouble_elsewhere(&self, io: &Io<'_>, peer: Peer) -> Option<Trouble> {
        let (ours, now_ms) = (self.best_work(io), io.now.ms);
        let others = io.peers.ready().filter(|(other, state)| {
            *other != peer && state.claim.work > ours && state.no_headers_until_ms <= now_ms
        });
        others.map(|(_, state)| trouble(state)).min()
    }

    /// The peer has shown all that it has. It is to blame if it claimed more than that and than
    /// we know, unless the rest lies in our future.
    fn shown(&self, io: &mut Io<'_>, fetch: &Fetch, work: U256, blame: bool) {
        let ours = self.best_work(io);
        // What it claimed may be what we have by now.
        if blame && fetch.claimed > ours {
            unmet(io, fetch.peer, Fault::Claim);
        }
        // It may have said meanwhile that it has more by now.
        let claim = io.peers.get(fetch.peer).map(|state| state.claim.work);
        if claim.is_some_and(|claim| claim <= fetch.claimed) {
            io.peers.lower_claim(fetch.peer, work.max(ours));
        }
    }

    /// Begins to fetch the bodies of a chain that is heavier than all we know.
    fn adopt(&mut self, io: &Io<'_>, peer: Peer, chain: HeaderChain, proven: U256) {
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
        let is_in = |block| chain.links.iter().any(|link| link.hash == block);
        self.refused.retain(|refused| !is_in(refused.block));
        match &mut self.branch {
            Some(branch) if branch.tip().hash == base => branch.append(peer, chain),
            Some(branch) if let Some(position) = branch.position(base) => {
                branch.fork(position, peer, chain);
            }
            _ => self.branch = Some(Branch::new(io.now.ms, peer, chain, proven)),
        }
    }
}

/// The place in the locator that headers with these hashes follow: the first that is on the peer's
/// chain, else it could show us all that we have.
fn follows(locator: &[B256], parent: B256, hashes: &[B256]) -> Option<usize> {
    let place = locator.iter().position(|hash| *hash == parent)?;
    let passed_over = hashes.iter().any(|hash| locator[..place].contains(hash));
    (!passed_over).then_some(place)
}

/// Where a peer's chain is ours up to `base` and leaves it below the lowest of `above`: a locator that
/// tells more exactly. `None` if these are not on our best chain.
fn finer(
    view: &ChainView<'_>,
    base: &Link,
    above: &[B256],
) -> Result<Option<Vec<B256>>, StoreError> {
    let from = base.header.number;
    let Some(lowest) = above.last() else {
        return Ok(None);
    };
    match view.header(*lowest)? {
        Some(record) if view.is_canonical(from, base.hash)? => {
            locator::between(view, from, record.number()).map(Some)
        }
        _ => Ok(None),
    }
}

/// How much trouble a peer has given: how often it did not show what it said, and how long it let us
/// wait, by doublings. Who has given less is asked for headers first, whatever the others claim: a
/// claim costs nothing.
type Trouble = (u32, u32);

const NONE: Trouble = (0, 0);

fn trouble(state: &PeerState) -> Trouble {
    let waited_ms = match state.stalls {
        0 => state.headers_ms,
        _ => ANSWER_TIMEOUT_MS,
    };
    (
        state.unmet,
        u64::BITS - (waited_ms / PROMPT_MS).leading_zeros(),
    )
}

/// A peer has not shown what it should have.
fn unmet(io: &mut Io<'_>, peer: Peer, fault: Fault) {
    if let Some(state) = io.peers.get_mut(peer) {
        state.unmet = state.unmet.saturating_add(1);
    }
    io.punish(peer, fault);
}

fn rest(io: &mut Io<'_>, peer: Peer, rest_ms: u64) {
    let now_ms = io.now.ms;
    if let Some(state) = io.peers.get_mut(peer) {
        state.no_headers_until_ms = now_ms.saturating_add(rest_ms);
    }
}
