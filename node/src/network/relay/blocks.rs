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

use crate::chain::{HeaderRecord, Moved, SIDE_WORK_BLOCKS, view};
use crate::network::check::{Check, Part};
use crate::network::fault::Fault;
use crate::network::io::{Io, Open, Purpose};
use crate::network::limits::{
    BUILD_TIMEOUT_MS, MAX_BUILDING, MAX_BUILDING_PER_PEER, MAX_POSITIONS,
};
use crate::network::message::{Announcement, Request, Response, ShortId, ShortIds};
use crate::network::{GossipId, Output, Peer, RequestId, Topic, Verdict};
use crate::store::StoreError;

/// Hashes of the blocks that were passed on or given to the core lately.
const MAX_RECENT: usize = 1_024;

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
    recent: VecDeque<B256>,
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
        match self.judge(io, peer, &announcement)? {
            Judged::Good { work, due } => self.build(io, peer, gossip, announcement, work, due),
            Judged::Ignore => io.verdict(peer, gossip, Verdict::Ignore),
            Judged::Ahead => {
                io.verdict(peer, gossip, Verdict::Ignore);
                io.hello(peer);
            }
            Judged::Bad(fault) => {
                io.verdict(peer, gossip, Verdict::Reject);
                io.punish(peer, fault);
            }
        }
        Ok(())
    }

    fn judge(
        &self,
        io: &Io<'_>,
        peer: Peer,
        announcement: &Announcement,
    ) -> Result<Judged, StoreError> {
        let Announcement { header, seal, .. } = announcement;
        let sealed = match alone::header(io.spec, header, seal) {
            Ok(sealed) => sealed,
            Err(invalid) => return Ok(Judged::Bad(Fault::Header(invalid))),
        };
        let hash = sealed.hash();
        let of_peer = self
            .building
            .values()
            .filter(|building| building.peer == peer);
        if self.recent.contains(&hash)
            || self.building.contains_key(&hash)
            || self.building.len() >= MAX_BUILDING
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
        if header.number.saturating_add(SIDE_WORK_BLOCKS) <= io.tip.number() {
            return Ok(Judged::Ignore);
        }
        let due = after_parent::not_yet(io.spec, header, io.now.s()).is_none();
        let work = linked.work;
        Ok(Judged::Good { work, due })
    }

    /// Finds the block's transactions in the pool and asks for the others.
    fn build(
        &mut self,
        io: &mut Io<'_>,
        peer: Peer,
        gossip: GossipId,
        announcement: Announcement,
        work: U256,
        due: bool,
    ) {
        let hash = cairn_genesis::block_hash(&announcement.header, &announcement.seal);
        let parts = from_pool(io, hash, &announcement.short_ids);
        let missing: Vec<u32> = (0u32..)
            .zip(&parts)
            .filter(|(_, part)| part.is_none())
            .map(|(index, _)| index)
            .collect();
        let mut building = Building {
            peer,
            gossip,
            announcement,
            work,
            due,
            parts,
            request: None,
            deadline_ms: io.now.ms.saturating_add(BUILD_TIMEOUT_MS),
        };
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
            building.request = Some(io.ask(peer, purpose, request, BUILD_TIMEOUT_MS));
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

    /// A block is checked. Returns it if it was one of these and is not the body of the
    /// header, or was none of these at all.
    pub fn checked(
        &mut self,
        io: &mut Io<'_>,
        peer: Peer,
        block: B256,
        from_parts: bool,
        result: Result<Box<VerifiedBlock>, BlockFault>,
    ) -> Option<Result<Box<VerifiedBlock>, BlockFault>> {
        let Some(building) = self
            .building
            .get_mut(&block)
            .filter(|known| known.peer == peer)
        else {
            return (!from_parts).then_some(result);
        };
        match result {
            Ok(verified) => self.relay(io, block, *verified),
            // Two of the pool's transactions have the same short id, or the sender's are not
            // the block's: the whole body decides.
            Err(BlockFault::Mutated { .. }) if from_parts => {
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
                io.hello_all(peer);
            }
            // Only signatures are left to be wrong: relayers need not have checked them.
            Err(BlockFault::Invalid(invalid)) => {
                tracing::info!(hash = %block, %invalid, "an announced block is invalid");
                let gossip = building.gossip;
                self.building.remove(&block);
                self.see(block);
                io.verdict(peer, gossip, Verdict::Ignore);
            }
        }
        None
    }

    /// Passes a block on, and gives it to the core.
    fn relay(&mut self, io: &mut Io<'_>, hash: B256, block: VerifiedBlock) {
        let Some(building) = self.building.remove(&hash) else {
            return;
        };
        let verdict = match building.due {
            true => Verdict::Accept,
            // Nobody else may have it in its time either; it is told when it is accepted.
            false => Verdict::Ignore,
        };
        if building.due {
            self.see(hash);
        }
        io.verdict(building.peer, building.gossip, verdict);
        tracing::debug!(%hash, due = building.due, "passing a block on");
        io.out.push(Output::Import {
            blocks: vec![block],
            proven_work: building.work,
        });
    }

    fn see(&mut self, hash: B256) {
        self.recent.push_back(hash);
        if self.recent.len() > MAX_RECENT {
            self.recent.pop_front();
        }
    }

    /// The sender does not deliver: somebody else may have the block.
    fn give_up(&mut self, io: &mut Io<'_>, block: B256) {
        if let Some(building) = self.building.remove(&block) {
            io.verdict(building.peer, building.gossip, Verdict::Ignore);
            io.hello_all(building.peer);
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

    /// Tells everybody of a new tip that did not come by gossip.
    pub fn moved(&mut self, io: &mut Io<'_>, moved: &Moved) -> Result<(), StoreError> {
        let tip = &moved.to;
        if self.recent.contains(&tip.hash) || !moved.connected.iter().any(|r| r.hash == tip.hash) {
            return Ok(());
        }
        self.see(tip.hash);
        let announcement = announcement(io, tip)?;
        let transactions = announcement.short_ids.len();
        tracing::debug!(hash = %tip.hash, transactions, "announcing a block");
        let bytes = announcement.encode();
        let topic = Topic::Blocks;
        io.out.push(Output::Publish { topic, bytes });
        Ok(())
    }
}

fn announcement(io: &Io<'_>, tip: &HeaderRecord) -> Result<Announcement, StoreError> {
    let body = view::body(io.world.store, tip.number(), tip.hash)?;
    let hashes = body.iter().map(|transaction| transaction.hash());
    Ok(Announcement::new(tip.header.clone(), tip.seal, hashes))
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
        peer: building.peer,
        block,
        header: building.announcement.header.clone(),
        seal: building.announcement.seal,
        body,
    }));
}
