//! Bodies of a branch, from all peers at once, and on to the core.

use alloy_primitives::{B256, Bytes};
use cairn_genesis::{BlockFault, VerifiedBlock};

use super::branch::BLOCK_BYTES;
use super::{REST_MS, Sync, unanswered};
use crate::chain::BlockError;
use crate::network::check::{Check, Origin};
use crate::network::fault::Fault;
use crate::network::io::{Io, Open, Purpose};
use crate::network::limits::{
    BODIES_BYTES, BODY_WINDOW_BYTES, MAX_BODIES, MAX_BODIES_TIMEOUT_MS, MIN_BODIES_TIMEOUT_MS,
};
use crate::network::message::Request;
use crate::network::{Output, Peer, RequestId};

/// Requests for bodies that one peer has at a time: while it sends one answer, the next
/// question is on its way.
const BODIES_OPEN: usize = 2;

/// Bodies that a request asks for at least, however slow the peer: it sends as many of them
/// as an answer holds.
const MIN_BODIES: usize = 16;

/// Bytes of the lowest blocks that one more peer is asked for: few enough to come soon.
const LOWEST_BYTES: u64 = 256 << 10;

/// How much of a peer's time one request for bodies is to take.
const BODIES_REQUEST_MS: u64 = 1_000;

impl Sync {
    pub(super) fn ask_bodies(&mut self, io: &mut Io<'_>) {
        self.ask_for_lowest(io);
        let Some(branch) = &mut self.branch else {
            return;
        };
        let now_ms = io.now.ms;
        let mut peers: Vec<_> = io
            .peers
            .ready()
            .filter(|(_, state)| state.bodies_open < BODIES_OPEN)
            .filter(|(_, state)| state.no_bodies_until_ms <= now_ms)
            .filter(|(_, state)| state.claim.work >= branch.base_work())
            .map(|(peer, state)| (std::cmp::Reverse(state.speed), peer))
            .collect();
        if peers.is_empty() {
            return;
        }
        peers.sort();
        let mut missing = branch.missing();
        let endgame = missing.is_empty();
        for (_, peer) in peers {
            while let Some(state) = io.peers.get_mut(peer)
                && state.bodies_open < BODIES_OPEN
                && state.may_be_asked(now_ms)
            {
                let bytes = state.speed.saturating_mul(BODIES_REQUEST_MS) / 1000;
                let count = branch.blocks_in(bytes).clamp(MIN_BODIES, MAX_BODIES);
                let blocks: Vec<_> = match endgame {
                    true => branch.unsent(peer, count),
                    false => missing.drain(..count.min(missing.len())).collect(),
                };
                if blocks.is_empty() {
                    break;
                }
                state.bodies_open += 1;
                let most_bytes = BODIES_BYTES + branch.average_bytes();
                let bytes = (blocks.len() * branch.average_bytes()).min(most_bytes) as u64;
                let timeout_ms =
                    state.patience_ms(bytes, MIN_BODIES_TIMEOUT_MS, MAX_BODIES_TIMEOUT_MS);
                let request = Request::Bodies {
                    blocks: blocks.clone(),
                };
                let id = io.ask(peer, Purpose::Bodies, request, timeout_ms);
                for hash in blocks {
                    branch.asked(now_ms, hash, peer, id);
                }
            }
        }
    }

    /// Asks one more peer for the lowest blocks, as soon as it would have sent them by now if it had
    /// been asked when somebody else was: nobody may hold up all others.
    fn ask_for_lowest(&mut self, io: &mut Io<'_>) {
        let Some(branch) = &mut self.branch else {
            return;
        };
        let Some(awaited) = branch
            .awaited()
            .filter(|awaited| !awaited.askers.is_empty())
        else {
            return;
        };
        let now_ms = io.now.ms;
        let waited_ms = now_ms.saturating_sub(awaited.asked_ms);
        let count = branch.blocks_in(LOWEST_BYTES).clamp(1, MIN_BODIES);
        let bytes = (count * branch.average_bytes()) as u64;
        let others = io.peers.ready().filter(|(peer, state)| {
            state.no_bodies_until_ms <= now_ms
                && state.bodies_open <= BODIES_OPEN
                && state.claim.work >= branch.base_work()
                && !awaited.askers.contains(peer)
        });
        let quickest = others
            .map(|(peer, state)| {
                // It answers one after the other.
                let queued = state.bodies_open as u64 * state.speed * BODIES_REQUEST_MS / 1000;
                let bytes = bytes.saturating_add(queued);
                let patience_ms =
                    state.patience_ms(bytes, MIN_BODIES_TIMEOUT_MS, MAX_BODIES_TIMEOUT_MS);
                (patience_ms, peer)
            })
            .min();
        let Some((patience_ms, peer)) = quickest.filter(|(ms, _)| *ms <= waited_ms) else {
            return;
        };
        let Some(state) = io.peers.get_mut(peer) else {
            return;
        };
        if !state.may_be_asked(now_ms) {
            return;
        }
        state.bodies_open += 1;
        let blocks = branch.lowest(count);
        let request = Request::Bodies {
            blocks: blocks.clone(),
        };
        let id = io.ask(peer, Purpose::Bodies, request, patience_ms);
        for hash in blocks {
            branch.asked(now_ms, hash, peer, id);
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
            unanswered(io, open);
            return;
        };
        let bytes = bodies.iter().map(|body| body.len() + BLOCK_BYTES).sum();
        let now_ms = io.now.ms;
        if let Some(state) = io.peers.get_mut(open.peer) {
            match bodies.is_empty() {
                // It has not got there itself.
                true => state.no_bodies_until_ms = now_ms + REST_MS,
                false => state.measured(bytes, now_ms.saturating_sub(open.sent_ms)),
            }
        }
        let Request::Bodies { blocks } = &open.request else {
            return;
        };
        let Some(branch) = &mut self.branch else {
            return;
        };
        let (_, mut held_bytes) = branch.held();
        for (hash, body) in blocks.iter().zip(bodies) {
            branch.measured(body.len());
            // What does not fit is asked for again; what all others wait for always fits.
            let is_awaited = branch
                .awaited()
                .is_some_and(|awaited| awaited.hash == *hash);
            if held_bytes > BODY_WINDOW_BYTES && !is_awaited {
                continue;
            }
            if let Some(link) = branch.arrived(*hash, open.peer, body.len()) {
                held_bytes += body.len();
                io.out.push(Output::Check(Check::Body {
                    origin: Origin::Sync,
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
                    branch.checked(block, peer, Some(checked));
                }
            }
            Err(BlockFault::Mutated { .. }) => {
                if let Some(branch) = &mut self.branch {
                    branch.checked(block, peer, None);
                }
                io.punish(peer, Fault::Body);
            }
            Err(BlockFault::Invalid(invalid)) => {
                let branch = self.branch.as_ref();
                if branch.is_some_and(|branch| branch.position(block).is_some()) {
                    tracing::info!(hash = %block, %invalid, "a chain with more work than ours has an invalid block");
                    self.refuse(io.now.ms, block, false);
                }
            }
        }
    }

    pub(super) fn import(&mut self, io: &mut Io<'_>) {
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
        branch.imported(io.now.ms, &blocks[..taken]);
        let Err((_, error)) = result else { return };
        let failed = blocks.get(taken).copied().unwrap_or_default();
        if branch.position(failed).is_some() {
            tracing::info!(hash = %failed, %error, "a chain with more work than ours is not taken over");
            match error {
                BlockError::NotYet(_) => self.leave_branch(),
                _ => self.refuse(io.now.ms, failed, false),
            }
        }
    }
}
