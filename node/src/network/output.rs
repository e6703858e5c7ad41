//! What the network wants done.

use alloy_primitives::U256;
use cairn_genesis::{VerifiedBlock, VerifiedTransaction};

use super::serve::AtHand;
use super::{
    AdmitToken, Check, Fault, Goodbye, GossipId, InboundId, Peer, Request, RequestId, Status,
    Topic, Verdict,
};

/// What the network wants done, in this order.
#[derive(Debug)]
pub enum Output {
    /// Say who we are, and ask the same.
    Hello {
        /// Whom.
        peer: Peer,
        /// What to say.
        status: Status,
    },
    /// Answer [`Input::Hello`](super::Input::Hello).
    Welcome {
        /// The question.
        id: InboundId,
        /// What to say.
        status: Status,
    },
    /// Ask a peer for something.
    Request {
        /// Whom.
        peer: Peer,
        /// Comes back with the answer.
        id: RequestId,
        /// For what.
        request: Request,
    },
    /// Answer a peer by [`serve::answer`](super::serve::answer), and say [`Input::Served`](super::Input::Served) then.
    Serve {
        /// Whom.
        peer: Peer,
        /// The question.
        id: InboundId,
        /// For what it asks.
        request: Request,
        /// The body of the block that it asks about, where the store may not have it yet.
        at_hand: Option<AtHand>,
    },
    /// Do not answer: it asks for too much.
    Refuse {
        /// The question.
        id: InboundId,
    },
    /// Tell everybody.
    Publish {
        /// Subject.
        topic: Topic,
        /// What to say.
        bytes: Vec<u8>,
    },
    /// The verdict over a gossip message.
    Verdict {
        /// Who passed it to us.
        peer: Peer,
        /// The message.
        id: GossipId,
        /// The verdict.
        verdict: Verdict,
    },
    /// A peer has told who it is and fits: it counts now.
    Ready {
        /// Who.
        peer: Peer,
        /// What it says.
        status: Status,
    },
    /// Close the connection; the peer may come back.
    Disconnect {
        /// Whom.
        peer: Peer,
        /// Why.
        why: Goodbye,
    },
    /// Close the connection; the peer may not come back for [`limits::BAN_MS`](super::limits::BAN_MS).
    Ban {
        /// Whom.
        peer: Peer,
        /// What it did.
        fault: Fault,
    },
    /// Run [`check::run`](super::check::run) on a thread that may take its time, and give what it returns as
    /// [`Input::Checked`](super::Input::Checked).
    Check(Check),
    /// Give a transaction to the core.
    Admit {
        /// Comes back with the outcome.
        token: AdmitToken,
        /// The transaction.
        transaction: VerifiedTransaction,
    },
    /// Give blocks to the core, which follow each other upward.
    Import {
        /// The blocks.
        blocks: Vec<VerifiedBlock>,
        /// The work that headers of their branch have shown.
        proven_work: U256,
    },
}
