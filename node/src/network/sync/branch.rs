//! The branch that is being fetched: its checked headers above what the core has, and how
//! far each body has come.
//!
//! ```text
//! Missing ──asked──► Asked ──arrived──► Checking ──checked──► Ready ──in order──► Importing
//!    ▲                 │ stalled, or         │ not the header's body
//!    └─────────────────┴─────────────────────┘
//! ```

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use alloy_primitives::{B256, U256};
use cairn_genesis::VerifiedBlock;

use super::chain::{HeaderChain, Link};
use crate::network::limits::{BODY_WINDOW_BYTES, HEADER_WINDOW};
use crate::network::{Peer, RequestId};

/// Bytes of blocks that are given to the core together. Trades the memory of two such
/// groups against batches too small to share what they write.
const IMPORT_BYTES: usize = 4 << 20;

/// The same in number.
const IMPORT_BLOCKS: usize = 256;

/// What a block is reckoned to take beside its body, in memory and in time.
pub const BLOCK_BYTES: usize = 600;

/// Requests that may be out for one body at the end, when nothing else is left to ask for.
const MAX_ASKERS: usize = 2;

/// How far the body of one block has come.
#[derive(Debug)]
pub enum Body {
    /// Not asked for.
    Missing,
    /// Asked for.
    Asked(Vec<(Peer, RequestId)>),
    /// It is being checked.
    Checking {
        /// Who sent it.
        from: Peer,
        /// Its length.
        bytes: usize,
    },
    /// It waits for those below it.
    Ready(Box<VerifiedBlock>),
    /// The core has it.
    Importing,
}

/// One block of the branch.
#[derive(Debug)]
struct Slot {
    link: Arc<Link>,
    body: Body,
}

/// The lowest block, whose body is not here: all others wait for it.
#[derive(Debug)]
pub struct Awaited<'a> {
    /// Its hash.
    pub hash: B256,
    /// Since when it has been the lowest.
    pub since_ms: u64,
    /// When somebody was asked for it last.
    pub asked_ms: u64,
    /// Who was.
    pub askers: &'a BTreeSet<Peer>,
    /// Whether an answer of one of them may still come.
    pub is_asked: bool,
}

/// The branch.
#[derive(Debug)]
pub struct Branch {
    /// What the first block follows; the core has it.
    base: Arc<Link>,
    slots: VecDeque<Slot>,
    /// Who showed the last header, and so claims to have all blocks.
    shown_by: Peer,
    /// Work that headers of this branch have shown, also beyond those that are held here.
    proven: U256,
    /// Bytes of an average block, measured.
    average_bytes: usize,
    /// Since when the lowest block has been the lowest.
    front_ms: u64,
    /// When somebody was asked for it last.
    front_asked_ms: u64,
    /// Who was asked for it.
    front_askers: BTreeSet<Peer>,
}

impl Branch {
    /// Begins to fetch the blocks of `chain`.
    pub fn new(now_ms: u64, peer: Peer, chain: HeaderChain, proven: U256) -> Self {
        let mut branch = Self {
            base: Arc::clone(&chain.base),
            slots: VecDeque::new(),
            shown_by: peer,
            proven,
            average_bytes: 1024,
            front_ms: now_ms,
            front_asked_ms: now_ms,
            front_askers: BTreeSet::new(),
        };
        branch.append(peer, chain);
        branch
    }

    /// Goes on above the last header.
    pub fn append(&mut self, peer: Peer, chain: HeaderChain) {
        self.shown_by = peer;
        self.slots.extend(chain.links.into_iter().map(|link| Slot {
            link,
            body: Body::Missing,
        }));
        self.proven = self.proven.max(self.tip().work);
    }

    /// Replaces what is above one of its blocks.
    pub fn fork(&mut self, position: usize, peer: Peer, chain: HeaderChain) {
        self.slots.truncate(position + 1);
        self.append(peer, chain);
    }

    /// The last header.
    pub fn tip(&self) -> &Arc<Link> {
        self.slots.back().map_or(&self.base, |slot| &slot.link)
    }

    /// Who showed the last header.
    pub fn shown_by(&self) -> Peer {
        self.shown_by
    }

    /// Whether a chain that leaves it, or does not touch it, and has shown so much work has no place
    /// beside it.
    pub fn outweighs(&self, base: B256, proven: U256) -> bool {
        let goes_on = self.tip().hash == base || self.position(base).is_some();
        !goes_on && self.proven >= proven
    }

    /// Work that its headers have shown.
    pub fn proven(&self) -> U256 {
        self.proven
    }

    /// Headers held, and bytes of bodies held.
    pub fn held(&self) -> (usize, usize) {
        let bytes = self.slots.iter().map(|slot| match &slot.body {
            Body::Ready(block) => block.size_bytes(),
            Body::Checking { bytes, .. } => *bytes,
            Body::Missing | Body::Asked(_) | Body::Importing => 0,
        });
        (self.slots.len(), bytes.sum())
    }

    /// Whether more headers may be held.
    pub fn has_room(&self) -> bool {
        self.slots.len() + crate::network::limits::MAX_HEADERS <= HEADER_WINDOW
    }

    /// The lowest block, if its body is not here.
    pub fn awaited(&self) -> Option<Awaited<'_>> {
        let front = self.slots.front()?;
        let is_here = matches!(
            front.body,
            Body::Checking { .. } | Body::Ready(_) | Body::Importing
        );
        (!is_here).then_some(Awaited {
            hash: front.link.hash,
            since_ms: self.front_ms,
            asked_ms: self.front_asked_ms,
            askers: &self.front_askers,
            is_asked: matches!(front.body, Body::Asked(_)),
        })
    }

    /// Position of a block.
    pub fn position(&self, hash: B256) -> Option<usize> {
        // Heights follow each other, so the header's would do; callers have the hash only.
        self.slots.iter().position(|slot| slot.link.hash == hash)
    }

    /// The header at a position.
    pub fn link(&self, position: usize) -> &Arc<Link> {
        &self.slots[position].link
    }

    /// The blocks that nobody is asked for, lowest first, as far as bodies may be held.
    pub fn missing(&self) -> VecDeque<B256> {
        let slots = self.slots.iter().take(self.window());
        let missing = slots.filter(|slot| matches!(slot.body, Body::Missing));
        missing.map(|slot| slot.link.hash).collect()
    }

    /// Blocks that somebody else was asked for and has not sent, lowest first: for when
    /// nothing else is left to ask for.
    pub fn unsent(&self, peer: Peer, count: usize) -> Vec<B256> {
        let unsent = |body: &Body| match body {
            Body::Asked(askers) => {
                askers.len() < MAX_ASKERS && askers.iter().all(|(other, _)| *other != peer)
            }
            _ => false,
        };
        let slots = self.slots.iter().filter(|slot| unsent(&slot.body));
        slots.map(|slot| slot.link.hash).take(count).collect()
    }

    /// The lowest blocks, as far as their bodies are not here.
    pub fn lowest(&self, count: usize) -> Vec<B256> {
        let away = |slot: &&Slot| matches!(slot.body, Body::Missing | Body::Asked(_));
        let slots = self.slots.iter().take_while(away);
        slots.map(|slot| slot.link.hash).take(count).collect()
    }

    /// Blocks from the lowest that fit what may be held of bodies.
    fn window(&self) -> usize {
        let mut bytes = 0;
        let within = self.slots.iter().take_while(|slot| {
            bytes += match &slot.body {
                Body::Ready(block) => block.size_bytes(),
                Body::Checking { bytes, .. } => *bytes,
                _ => self.average_bytes,
            };
            bytes <= BODY_WINDOW_BYTES
        });
        // The lowest always: without it nothing goes on.
        within.count().max(1).min(self.slots.len())
    }

    /// Bytes of an average block.
    pub fn average_bytes(&self) -> usize {
        self.average_bytes
    }

    /// Work of what the core has of it: a peer with less has none of what is missing.
    pub fn base_work(&self) -> U256 {
        self.base.work
    }

    /// How many blocks have about so many bytes.
    pub fn blocks_in(&self, bytes: u64) -> usize {
        usize::try_from(bytes / self.average_bytes.max(1) as u64).unwrap_or(usize::MAX)
    }

    /// A peer has been asked for a block.
    pub fn asked(&mut self, now_ms: u64, hash: B256, peer: Peer, id: RequestId) {
        if self.front().is_some_and(|front| front.hash == hash) {
            self.front_asked_ms = now_ms;
            self.front_askers.insert(peer);
        }
        if let Some(slot) = self.slot(hash) {
            match &mut slot.body {
                Body::Asked(askers) => askers.push((peer, id)),
                body => *body = Body::Asked(vec![(peer, id)]),
            }
        }
    }

    /// A request is answered or given up: whoever else was asked for its blocks still is.
    pub fn unasked(&mut self, id: RequestId) {
        for slot in &mut self.slots {
            if let Body::Asked(askers) = &mut slot.body {
                askers.retain(|(_, other)| *other != id);
                if askers.is_empty() {
                    slot.body = Body::Missing;
                }
            }
        }
    }

    /// A body has so many bytes.
    pub fn measured(&mut self, bytes: usize) {
        self.average_bytes = (self.average_bytes * 7 + bytes + BLOCK_BYTES) / 8;
    }

    /// A body has arrived; returns the header to check it by, unless it is not needed.
    pub fn arrived(&mut self, hash: B256, from: Peer, bytes: usize) -> Option<Arc<Link>> {
        let slot = self.slot(hash)?;
        match slot.body {
            Body::Missing | Body::Asked(_) => {
                slot.body = Body::Checking { from, bytes };
                Some(Arc::clone(&slot.link))
            }
            Body::Checking { .. } | Body::Ready(_) | Body::Importing => None,
        }
    }

    /// A body that `from` sent is checked; `None`: it was not the block's.
    pub fn checked(&mut self, hash: B256, sender: Peer, block: Option<Box<VerifiedBlock>>) {
        if let Some(slot) = self.slot(hash)
            && matches!(slot.body, Body::Checking { from, .. } if from == sender)
        {
            slot.body = block.map_or(Body::Missing, Body::Ready);
        }
    }

    /// Takes the next blocks for the core, if they are there.
    pub fn next_import(&mut self) -> Vec<VerifiedBlock> {
        let mut blocks = Vec::new();
        let mut bytes = 0;
        for slot in &mut self.slots {
            let Body::Ready(block) = &slot.body else {
                break;
            };
            bytes += block.size_bytes();
            if !blocks.is_empty() && (bytes > IMPORT_BYTES || blocks.len() >= IMPORT_BLOCKS) {
                break;
            }
            if let Body::Ready(block) = std::mem::replace(&mut slot.body, Body::Importing) {
                blocks.push(*block);
            }
        }
        blocks
    }

    /// The core has these blocks; those below the first that it has not are let go of.
    pub fn imported(&mut self, now_ms: u64, hashes: &[B256]) {
        let before = self.slots.len();
        while let Some(slot) = self.slots.front()
            && hashes.contains(&slot.link.hash)
        {
            self.base = Arc::clone(&slot.link);
            self.slots.pop_front();
        }
        if self.slots.len() < before {
            self.front_ms = now_ms;
            self.front_asked_ms = now_ms;
            self.front_askers = match self.slots.front().map(|slot| &slot.body) {
                Some(Body::Asked(askers)) => askers.iter().map(|(peer, _)| *peer).collect(),
                _ => BTreeSet::new(),
            };
        }
    }

    /// The lowest block, which may have come another way.
    pub fn front(&self) -> Option<&Arc<Link>> {
        self.slots.front().map(|slot| &slot.link)
    }

    fn slot(&mut self, hash: B256) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| slot.link.hash == hash)
    }
}
