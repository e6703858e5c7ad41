//! New blocks, announced with short ids, put together from the pool and from what the
//! sender of the announcement adds, and passed on before they are executed.
//!
//! ```text
//! announcement ─ proof of work, parent, bits ─► parts from the pool ─► missing ones asked for
//!                     │ not so: reject                                        │
//!                     ▼                                              check: the body's root
//!                  (blame)                                  holds: pass on ──► core
//!                                                           does not: ask for the whole body
//! ```

use std::collections::{BTreeMap, VecDeque};

use alloy_primitives::{B256, Bytes, U256};
use cairn_genesis::check::after_parent::{self, Parent};
use cairn_genesis::check::alone;
use cairn_genesis::{BlockFault, VerifiedBlock};

use crate::chain::{HeaderRecord, Moved, view};
use crate::network::check::{Check, Origin, Part};
use crate::network::fault::Fault;
use crate::network::io::{Io, Open, Purpose};
use crate::network::limits::{
    BUILD_TIMEOUT_MS, MAX_BUILDING, MAX_BUILDING_PER_PEER, MAX_POSITIONS,
};
use crate::network::message::{Announcement, Request, Response, ShortId, ShortIds};
use crate::network::serve::AtHand;
use crate::network::{GossipId, Output, Peer, RequestId, Topic, Verdict};
use crate::store::StoreError;

/// Blocks that were announced lately and are remembered.
const MAX_RECENT: usize = 1_024;

/// Blocks whose branch is behind ours by more than so many of their own kind are not passed on:
/// they decide nothing, and far below the tip they can be cheap. Sync fetches them should they
/// matter.
const MAX_BEHIND: u64 = 8;

/// An announced block that is being put together.
#[derive(Debug)]
struct Building {
    peer: Peer,
    gossip: GossipId,
    announcement: Announcement,
    /// Work of its branch.
    work: U256,
    /// Whether its time has come, so that it may be passed on.
    due: bool,
    parts: Vec<Option<Part>>,
    request: Option<RequestId>,
    deadline_ms: u64,
}

/// The machine for new blocks.
#[derive(Debug, Default)]
pub struct Blocks {
    building: BTreeMap<B256, Building>,
    /// Those that the core was given and has not answered for, with what others may ask of them.
    importing: BTreeMap<B256, AtHand>,
    /// Those that were passed on, or announced by us.
    told: Recent<B256>,
    /// Those whose announcement was not passed on. Told once more in the same bytes, it would be
    /// taken for what it was the first time.
    kept_back: Recent<B256>,
    /// Who announced a block and then did not send what we lacked of it. It can say the same block
    /// in many words, and would have us ask everybody for it each time.
    let_down: Recent<(Peer, B256)>,
}

/// The latest of many.
#[derive(Debug)]
struct Recent<T>(VecDeque<T>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: PartialEq> Recent<T> {
    fn insert(&mut self, item: T) {
        if self.contains(&item) {
            return;
        }
        self.0.push_back(item);
        if self.0.len() > MAX_RECENT {
            self.0.pop_front();
        }
    }

    fn contains(&self, item: &T) -> bool {
        self.0.contains(item)
    }
}

/// What an announcement is, before its body is looked at.
enum Judged {
    /// It can be put together.
    Good { work: U256, due: bool },
    /// It is not wanted.
    Ignore,
    /// We do not know what it follows: its sender may have a heavier chain.
    Ahead,
    /// Its sender should have known better.
    Bad(Fault),
}

impl Blocks {
    /// How many are being put together.
    pub fn building(&self) -> usize {
        self.building.len()
    }

    /// An announcement.
    pub fn gossip(
        &mut self,
        io: &mut Io<'_>,
        peer: Peer,
        gossip: GossipId,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let announcement = match Announcement::decode(bytes) {
            Ok(announcement) => announcement,
            Err(error) => {
                io.verdict(peer, gossip, Verdict::Reject);
                io.punish(peer, error.into());
                return Ok(());
            }
        };
        let hash = cairn_genesis::block_hash(&announcement.header, &announcement.seal);
        match self.judge(io, peer, hash, &announcement)? {
            Judged::Good { work, due } => {
                let building = Building {
                    peer,
                    gossip,
                    parts: from_pool(io, hash, &announcement.short_ids),
                    announcement,
                    work,
                    due,
                    request: None,
                    deadline_ms: io.now.ms.saturating_add(BUILD_TIMEOUT_MS),
                };
                self.build(io, hash, building);
            }
            Judged::Ignore => self.keep_back(io, peer, gossip, hash),
            Judged::Ahead => {
                self.keep_back(io, peer, gossip, hash);
                io.hello(peer);
            }
            Judged::Bad(fault) => {
                io.verdict(peer, gossip, Verdict::Reject);
                io.punish(peer, fault);
            }
        }
        Ok(())
    }

    /// What a peer may ask about a block that the core has not dealt with yet.
    pub fn at_hand(&self, request: &Request) -> Option<AtHand> {
        let block = match request {
            Request::BlockTransactions { block, .. } => block,
            Request::Bodies { blocks } if let [block] = blocks.as_slice() => block,
            _ => return None,
        };
        self.importing.get(block).cloned()
    }

    fn judge(
        &self,
        io: &Io<'_>,
        peer: Peer,
        hash: B256,
        announcement: &Announcement,
    ) -> Result<Judged, StoreError> {
        let Announcement { header, seal, .. } = announcement;
        let sealed = match alone::header(io.spec, header, seal) {
            Ok(sealed) => sealed,
            Err(invalid) => return Ok(Judged::Bad(Fault::Header(invalid))),
        };
        let of_peer = self
            .building
            .values()
            .filter(|building| building.peer == peer);
        if self.told.contains(&hash)
            || self.building.contains_key(&hash)
            || self.let_down.contains(&(peer, hash))
            || self.building.len() + self.importing.len() >= MAX_BUILDING
            || of_peer.count() >= MAX_BUILDING_PER_PEER
            || view::find_header(io.world.store, hash)?.is_some()
        {
            return Ok(Judged::Ignore);
        }
        let Some(parent) = view::find_header(io.world.store, header.parent_hash)? else {
            return Ok(Judged::Ahead);
        };
        let linked = after_parent::header(
            io.spec,
            &Parent {
                hash: parent.hash,
                header: &parent.header,
                skipped: parent.skipped,
                work: parent.work,
            },
            &sealed,
        );
        let linked = match linked {
            Ok(linked) => linked,
            Err(invalid) => return Ok(Judged::Bad(Fault::Header(invalid))),
        };
        let work = linked.work;
        let behind = io.tip.work.saturating_sub(work);
        if behind > sealed.work().saturating_mul(U256::from(MAX_BEHIND)) {
            return Ok(Judged::Ignore);
        }
        let due = after_parent::not_yet(io.spec, header, io.now.s()).is_none();
        Ok(Judged::Good { work, due })
    }

    /// Asks for the transactions that the pool does not have.
    fn build(&mut self, io: &mut Io<'_>, hash: B256, mut building: Building) {
        let missing: Vec<u32> = (0u32..)
            .zip(&building.parts)
            .filter(|(_, part)| part.is_none())
            .map(|(index, _)| index)
            .collect();
        if missing.is_empty() {
            check_parts(io, hash, &mut building);
        } else {
            let request = match missing.len() {
                0..=MAX_POSITIONS => Request::BlockTransactions {
                    block: hash,
                    indexes: missing,
                },
                _ => Request::Bodies { blocks: vec![hash] },
            };
            let purpose = Purpose::Build(hash);
            building.request = Some(io.ask(building.peer, purpose, request, BUILD_TIMEOUT_MS));
        }
        self.building.insert(hash, building);
    }

    /// What the sender adds: the missing transactions, or the whole body.
    pub fn answer(
        &mut self,
        io: &mut Io<'_>,
        block: B256,
        id: RequestId,
        open: &Open,
        response: Option<Response>,
    ) {
        let building = self.building.get_mut(&block);
        let Some(building) = building.filter(|building| building.request == Some(id)) else {
            return;
        };
        building.request = None;
        match response {
            Some(Response::BlockTransactions(envelopes)) if !envelopes.is_empty() => {
                let Request::BlockTransactions { indexes, .. } = &open.request else {
                    return;
                };
                for (index, envelope) in indexes.iter().zip(envelopes) {
                    let part = usize::try_from(*index).ok();
                    if let Some(part) = part.and_then(|index| building.parts.get_mut(index)) {
                        *part = Some(Part::New(envelope));
                    }
                }
                check_parts(io, block, building);
            }
            Some(Response::Bodies(mut bodies)) if !bodies.is_empty() => {
                check_body(io, block, building, bodies.swap_remove(0));
            }
            _ => self.give_up(io, block),
        }
    }

    /// A block is checked.
    pub fn checked(
        &mut self,
        io: &mut Io<'_>,
        peer: Peer,
        block: B256,
        origin: Origin,
        result: Result<Box<VerifiedBlock>, BlockFault>,
    ) {
        let building = self.building.get_mut(&block);
        let Some(building) = building.filter(|building| building.peer == peer) else {
            return;
        };
        match result {
            Ok(verified) => self.relay(io, block, *verified),
            // A transaction of the pool has the short id of one that it lacks, or the sender's
            // are not the block's: the whole body decides.
            Err(BlockFault::Mutated { .. }) if origin == Origin::Parts => {
                building.deadline_ms = io.now.ms.saturating_add(BUILD_TIMEOUT_MS);
                let request = Request::Bodies {
                    blocks: vec![block],
                };
                let id = io.ask(peer, Purpose::Build(block), request, BUILD_TIMEOUT_MS);
                building.request = Some(id);
            }
            Err(BlockFault::Mutated { .. }) => {
                let gossip = building.gossip;
                self.building.remove(&block);
                io.verdict(peer, gossip, Verdict::Reject);
                io.punish(peer, Fault::Body);
                io.hello_all(Some(peer));
            }
            // Only signatures and the size are left to be wrong: relayers need not have checked
            // them.
            Err(BlockFault::Invalid(invalid)) => {
                tracing::info!(hash = %block, %invalid, "an announced block is invalid");
                let gossip = building.gossip;
                self.building.remove(&block);
                self.told.insert(block);
                io.verdict(peer, gossip, Verdict::Ignore);
            }
        }
    }

    /// Passes a block on, and gives it to the core.
    fn relay(&mut self, io: &mut Io<'_>, hash: B256, block: VerifiedBlock) {
        let Some(building) = self.building.remove(&hash) else {
            return;
        };
        let Building {
            peer, gossip, due, ..
        } = building;
        tracing::debug!(%hash, due, "passing a block on");
        self.importing.insert(hash, AtHand::new(&block));
        if !is_of(&building.announcement, &block) {
            // Others could not make anything of it. What the block says itself is told when it is the
            // tip; whoever announced it rightly meanwhile was ignored.
            self.kept_back.insert(hash);
            io.verdict(peer, gossip, Verdict::Reject);
            io.punish(peer, Fault::Announcement);
        } else if due {
            self.told.insert(hash);
            io.verdict(peer, gossip, Verdict::Accept);
        } else {
            // Nobody else may have it before its time either; it is told when it is the tip.
            self.keep_back(io, peer, gossip, hash);
        }
        io.out.push(Output::Import {
            blocks: vec![block],
            proven_work: building.work,
        });
    }

    /// The core has dealt with these blocks.
    pub fn imported(&mut self, blocks: &[B256]) {
        for block in blocks {
            self.importing.remove(block);
        }
    }

    fn keep_back(&mut self, io: &mut Io<'_>, peer: Peer, gossip: GossipId, hash: B256) {
        self.kept_back.insert(hash);
        io.verdict(peer, gossip, Verdict::Ignore);
        let now_ms = io.now.ms;
        if let Some(state) = io.peers.get_mut(peer)
            && !state.may_be_useless(now_ms)
        {
            io.punish(peer, Fault::Flood);
        }
    }

    /// The sender does not deliver: somebody else may have the block.
    fn give_up(&mut self, io: &mut Io<'_>, block: B256) {
        if let Some(building) = self.building.remove(&block) {
            self.let_down.insert((building.peer, block));
            self.keep_back(io, building.peer, building.gossip, block);
            io.hello_all(Some(building.peer));
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, io: &mut Io<'_>) {
        let now_ms = io.now.ms;
        // A check on a busy machine may take longer than a peer may.
        let overdue = self
            .building
            .iter()
            .filter(|(_, building)| building.request.is_some() && building.deadline_ms <= now_ms);
        for block in overdue.map(|(hash, _)| *hash).collect::<Vec<_>>() {
            self.give_up(io, block);
        }
    }

    /// Tells everybody of a new tip that was not passed on before.
    pub fn moved(&mut self, io: &mut Io<'_>, moved: &Moved) -> Result<(), StoreError> {
        let tip = &moved.to;
        if self.told.contains(&tip.hash) || !moved.connected.iter().any(|r| r.hash == tip.hash) {
            return Ok(());
        }
        // The core may have left it again, and let it go.
        let Some(announcement) = announcement(io, tip)? else {
            return Ok(());
        };
        self.told.insert(tip.hash);
        let transactions = announcement.short_ids.len();
        tracing::debug!(hash = %tip.hash, transactions, "announcing a block");
        let bytes = announcement.encode();
        let topic = Topic::Blocks;
        io.out.push(Output::Publish { topic, bytes });
        if self.kept_back.contains(&tip.hash) {
            io.hello_all(None);
        }
        Ok(())
    }
}

fn announcement(io: &Io<'_>, tip: &HeaderRecord) -> Result<Option<Announcement>, StoreError> {
    let body = view::find_body(io.world.store, tip.number(), tip.hash)?;
    Ok(body.map(|body| {
        let hashes = body.iter().map(|transaction| transaction.hash());
        Announcement::new(tip.header.clone(), tip.seal, hashes)
    }))
}

/// Whether the short ids are those of the block's transactions. A header alone promises nothing
/// about them.
fn is_of(announcement: &Announcement, block: &VerifiedBlock) -> bool {
    let ids = ShortIds::new(block.hash());
    let transactions = block.transactions().iter();
    let expected = transactions.map(|transaction| ids.of(transaction.hash()));
    expected.eq(announcement.short_ids.iter().copied())
}

/// The block's transactions as far as the pool has them. Of two with one id neither is taken.
fn from_pool(io: &Io<'_>, block: B256, short_ids: &[ShortId]) -> Vec<Option<Part>> {
    if short_ids.is_empty() {
        return Vec::new();
    }
    let ids = ShortIds::new(block);
    let mut known: BTreeMap<ShortId, Option<B256>> =
        short_ids.iter().map(|id| (*id, None)).collect();
    let mut twice = Vec::new();
    io.world.pool.each_hash(|hash| {
        let id = ids.of(*hash);
        if let Some(place) = known.get_mut(&id)
            && place.replace(*hash).is_some()
        {
            twice.push(id);
        }
    });
    for id in &twice {
        known.remove(id);
    }
    let part = |id: &ShortId| {
        let hash = (*known.get(id)?)?;
        io.world.pool.get(hash).map(Part::Known)
    };
    short_ids.iter().map(part).collect()
}

fn check_parts(io: &mut Io<'_>, block: B256, building: &mut Building) {
    let parts = std::mem::take(&mut building.parts);
    io.out.push(Output::Check(Check::Parts {
        peer: building.peer,
        block,
        header: building.announcement.header.clone(),
        seal: building.announcement.seal,
        parts: parts.into_iter().flatten().collect(),
    }));
}

fn check_body(io: &mut Io<'_>, block: B256, building: &Building, body: Bytes) {
    io.out.push(Output::Check(Check::Body {
        origin: Origin::Whole,
        peer: building.peer,
        block,
        header: building.announcement.header.clone(),
        seal: building.announcement.seal,
        body,
    }));
}
