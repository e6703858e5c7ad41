//! Why a connection does not come about, in one sentence.

use std::error::Error;
use std::io;

use libp2p::core::transport::TransportError;
use libp2p::dns::ResolveError;
use libp2p::swarm::{ConnectionDenied, ConnectionId, DialError};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::oneshot;

use super::address;
use super::gate::Refused;

/// How long a connection is given until it is told as hanging.
const PATIENCE_MS: u64 = 20_000;

/// Questions at the same time.
const MAX_QUESTIONS: usize = 16;

/// Longest sentence of the system or of libp2p that is passed on.
const MAX_REASON_CHARS: usize = 300;

/// Somebody who wants to know.
#[derive(Debug)]
struct Question {
    connection: ConnectionId,
    /// Who was found there.
    peer: Option<PeerId>,
    until_ms: u64,
    reply: oneshot::Sender<Result<String, String>>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Questions {
    open: Vec<Question>,
}

impl Questions {
    /// Whether one more can be asked.
    pub(super) fn has_room(&self) -> bool {
        self.open.len() < MAX_QUESTIONS
    }

    /// Takes in a question, which is answered by what becomes of this connection.
    pub(super) fn ask(
        &mut self,
        now_ms: u64,
        connection: ConnectionId,
        reply: oneshot::Sender<Result<String, String>>,
    ) {
        self.open.push(Question {
            connection,
            peer: None,
            until_ms: now_ms + PATIENCE_MS,
            reply,
        });
    }

    /// Takes in that the connection stands.
    pub(super) fn reached(&mut self, connection: ConnectionId, peer: PeerId) {
        let mut open = self.open.iter_mut();
        if let Some(question) = open.find(|question| question.connection == connection) {
            question.peer = Some(peer);
        }
    }

    /// Takes in that it does not come about.
    pub(super) fn failed(&mut self, connection: ConnectionId, why: &str) {
        self.answer(|question| question.connection == connection, why);
    }

    /// Takes in what became of a peer.
    pub(super) fn settled(&mut self, peer: &PeerId, why: &str) {
        self.answer(|question| question.peer.as_ref() == Some(peer), why);
    }

    /// Gives up those that have waited for long enough.
    pub(super) fn expire(&mut self, now_ms: u64) {
        let overdue = |question: &Question| question.until_ms <= now_ms;
        self.answer(
            overdue,
            "it is reachable, but did not say who it is in time",
        );
    }

    fn answer(&mut self, which: impl Fn(&Question) -> bool, why: &str) {
        for question in self.open.extract_if(.., |question| which(question)) {
            // Who has gone does not want to know any more.
            let _ = question.reply.send(Ok(why.to_owned()));
        }
    }
}

/// Why a dial led to nobody.
pub(super) fn dial(error: &DialError, wanted: Option<&PeerId>) -> String {
    match error {
        DialError::LocalPeerId { .. } => OURSELVES.to_owned(),
        DialError::WrongPeerId { obtained, .. } => match wanted {
            Some(wanted) => {
                format!("another node answers there: its peer id is {obtained}, not {wanted}")
            }
            None => format!("another node answers there: its peer id is {obtained}"),
        },
        DialError::Denied { cause } => denied(cause),
        DialError::Transport(errors) => unreachable(errors),
        DialError::NoAddresses => OURSELVES.to_owned(),
        DialError::DialPeerConditionFalse(_) => "it is being dialed already".to_owned(),
        DialError::Aborted => "the attempt was given up".to_owned(),
    }
}

/// Whether it says something of who was dialed, and not of us at this moment; or will say the same
/// for long: otherwise it would be dialed again at once.
pub(super) fn is_its_failure(error: &DialError) -> bool {
    match error {
        DialError::Transport(_)
        | DialError::WrongPeerId { .. }
        | DialError::LocalPeerId { .. }
        | DialError::NoAddresses => true,
        DialError::Denied { cause } => match cause.downcast_ref::<Refused>() {
            Some(Refused::Banned { .. } | Refused::NotListed | Refused::SameIp) => true,
            Some(Refused::Full { .. } | Refused::SamePeer | Refused::Busy) | None => false,
        },
        DialError::DialPeerConditionFalse(_) | DialError::Aborted => false,
    }
}

/// What is said of ourselves.
pub(super) const OURSELVES: &str = "that address is this node's own";

/// Why a connection was refused by us.
pub(super) fn denied(cause: &ConnectionDenied) -> String {
    match cause.downcast_ref::<Refused>() {
        Some(Refused::SamePeer) => "it is connected, by other addresses".to_owned(),
        Some(refused) => format!("this node refuses it: {refused}"),
        None => "this node refuses it".to_owned(),
    }
}

/// How a connection ended.
pub(super) fn broken(error: &io::Error) -> String {
    match is_closed(error) {
        true => "it closed the connection".to_owned(),
        false => format!("the connection broke: {}", innermost(error)),
    }
}

/// Whether the other side has ended the connection. Much of libp2p passes on an error's words
/// without the error itself.
fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let kinds = [
        BrokenPipe,
        ConnectionAborted,
        ConnectionReset,
        UnexpectedEof,
    ];
    let words = innermost(error).to_lowercase();
    let is_one = |kind: &io::ErrorKind| error.kind() == *kind || words.contains(&kind.to_string());
    kinds.iter().any(is_one) || words.contains("closed")
}

fn unreachable(errors: &[(Multiaddr, TransportError<io::Error>)]) -> String {
    let reasons: Vec<_> = errors
        .iter()
        .map(|(address, error)| format!("{address}: {}", reason(address, error)))
        .collect();
    match reasons.is_empty() {
        true => "it is not reachable".to_owned(),
        false => format!("it is not reachable at {}", reasons.join("; ")),
    }
}

fn reason(address: &Multiaddr, error: &TransportError<io::Error>) -> String {
    let TransportError::Other(error) = error else {
        return "no such kind of address is spoken here".to_owned();
    };
    let mut resolving = causes(error).filter_map(|cause| cause.downcast_ref::<ResolveError>());
    if let Some(cause) = resolving.next() {
        let name = address::name(address).unwrap_or_default();
        return match cause.is_no_records_found() {
            true => format!("no IP address is known for {name}"),
            false => format!("{name} cannot be looked up: {}", shortened(cause)),
        };
    }
    let reason = innermost(error);
    if reason.contains(&io::ErrorKind::InvalidData.to_string()) {
        return "something answers there, but does not speak as a node does".to_owned();
    }
    match is_closed(error) {
        true => "what answers there closes the connection before it has said who it is".to_owned(),
        false => reason,
    }
}

/// An error and what caused it, ever deeper.
fn causes(error: &io::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&error| {
        // An I/O error that wraps another one shows that one's text, but not as its source.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|inner| inner as &(dyn Error + 'static));
        wrapped.or_else(|| error.source())
    })
}

/// What the system says, which is at the end of the chain of errors.
fn innermost(error: &io::Error) -> String {
    causes(error).last().map(shortened).unwrap_or_default()
}

fn shortened(error: &(dyn Error + 'static)) -> String {
    error.to_string().chars().take(MAX_REASON_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use libp2p::swarm::dial_opts::PeerCondition;

    use super::*;

    #[test]
    fn the_systems_own_words_are_found() {
        let refused = io::Error::from_raw_os_error(111);
        let wrapped = io::Error::other(io::Error::other(refused));
        let error = TransportError::Other(wrapped);
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        let sentence = dial(&DialError::Transport(vec![(address, error)]), None);
        assert_eq!(
            sentence,
            "it is not reachable at /ip4/127.0.0.1/tcp/1: Connection refused (os error 111)"
        );
    }

    #[test]
    fn what_is_no_node_is_told_as_such() {
        let address: Multiaddr = "/ip4/127.0.0.1/tcp/1".parse().unwrap();
        let why = |error: io::Error| {
            let wrapped = io::Error::other(io::Error::other(error));
            reason(&address, &TransportError::Other(wrapped))
        };
        let nonsense = why(io::ErrorKind::InvalidData.into());
        assert!(nonsense.contains("does not speak"), "{nonsense}");
        for number in [32, 104] {
            let closed = why(io::Error::from_raw_os_error(number));
            assert!(closed.contains("closes the connection"), "{closed}");
        }
    }

    #[test]
    fn an_end_is_not_a_breakdown() {
        let closed = "it closed the connection";
        assert_eq!(broken(&io::ErrorKind::UnexpectedEof.into()), closed);
        let early = io::Error::new(io::ErrorKind::UnexpectedEof, "early eof");
        assert_eq!(broken(&early), closed);
        let hidden = io::Error::other(io::Error::from_raw_os_error(104).to_string());
        assert_eq!(broken(&hidden), closed);
        assert_eq!(broken(&io::Error::other("connection is closed")), closed);
        let timeout = io::Error::from_raw_os_error(110);
        assert_eq!(
            broken(&timeout),
            "the connection broke: Connection timed out (os error 110)"
        );
    }

    #[test]
    fn a_question_is_answered_once() {
        let mut questions = Questions::default();
        let (reply, mut answer) = oneshot::channel();
        let (connection, peer) = (ConnectionId::new_unchecked(1), PeerId::random());
        questions.ask(0, connection, reply);
        questions.settled(&peer, "too early");
        questions.reached(connection, peer);
        questions.settled(&peer, "it is connected");
        questions.expire(u64::MAX);
        assert_eq!(answer.try_recv(), Ok(Ok("it is connected".to_owned())));
        assert!(questions.has_room());
    }

    #[test]
    fn who_was_not_dialed_is_not_blamed_for_it() {
        let denied = |refused: Refused| DialError::Denied {
            cause: ConnectionDenied::new(refused),
        };
        let condition = PeerCondition::DisconnectedAndNotDialing;
        for ours in [
            DialError::DialPeerConditionFalse(condition),
            DialError::Aborted,
            denied(Refused::SamePeer),
            denied(Refused::Busy),
        ] {
            assert!(!is_its_failure(&ours), "{ours}");
        }
        let (obtained, address) = (PeerId::random(), Multiaddr::empty());
        for its in [
            DialError::Transport(Vec::new()),
            DialError::WrongPeerId { obtained, address },
            // Otherwise it would be dialed again at once.
            denied(Refused::SameIp),
            DialError::NoAddresses,
        ] {
            assert!(is_its_failure(&its), "{its}");
        }
    }
}
