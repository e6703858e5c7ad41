//! What happens to the network.

use alloy_primitives::B256;
use cairn_genesis::VerifiedTransaction;

use super::{
    AdmitToken, Checked, Fault, GossipId, InboundId, Peer, Request, RequestId, Response, Status,
    Topic,
};
use crate::chain::{BlockError, Moved};
use crate::mempool::Refusal;

/// What happens to the network.
#[derive(Debug)]
pub enum Input {
    /// A connection stands; nothing has been said.
    Connected {
        /// The other end.
        peer: Peer,
    },
    /// The last connection to a peer is gone.
    Disconnected {
        /// Who.
        peer: Peer,
    },
    /// A peer says who it is, and asks the same.
    Hello {
        /// Who.
        peer: Peer,
        /// To be answered with [`Output::Welcome`](super::Output::Welcome).
        id: InboundId,
        /// What it says.
        status: Status,
    },
    /// The answer to [`Output::Hello`](super::Output::Hello); `None` if there is none.
    Welcome {
        /// Who.
        peer: Peer,
        /// What it says.
        status: Option<Status>,
    },
    /// A peer asks for something.
    Request {
        /// Who.
        peer: Peer,
        /// To be answered with [`Output::Serve`](super::Output::Serve) or [`Output::Refuse`](super::Output::Refuse).
        id: InboundId,
        /// For what.
        request: Request,
    },
    /// An answer to [`Output::Serve`](super::Output::Serve) has left.
    Served {
        /// To whom.
        peer: Peer,
    },
    /// The answer to a request of ours; `None` if there will be none.
    Response {
        /// Who.
        peer: Peer,
        /// The request.
        id: RequestId,
        /// What it says.
        response: Option<Response>,
    },
    /// A gossip message.
    Gossip {
        /// Who passed it to us.
        peer: Peer,
        /// For the verdict.
        id: GossipId,
        /// Its subject.
        topic: Topic,
        /// What it says.
        bytes: Vec<u8>,
    },
    /// The transport saw a peer break the protocol.
    Fault {
        /// Who.
        peer: Peer,
        /// How.
        fault: Fault,
    },
    /// A check is done.
    Checked(Checked),
    /// The core has dealt with a transaction that it was given.
    Admitted {
        /// The token of [`Output::Admit`](super::Output::Admit).
        token: AdmitToken,
        /// Its hash.
        hash: B256,
        /// What became of it.
        result: Result<(), Refusal>,
    },
    /// The core has dealt with the blocks that it was given.
    Imported {
        /// The blocks, upward.
        blocks: Vec<B256>,
        /// What became of them: how many were taken in, and why not the next.
        result: Result<(), (usize, BlockError)>,
    },
    /// The core's tip moved.
    Moved(Moved),
    /// Transactions came into the pool that were not given by [`Output::Admit`](super::Output::Admit).
    Pooled(Vec<VerifiedTransaction>),
    /// Time has passed; comes several times a second.
    Tick,
}
