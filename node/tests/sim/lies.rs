//! How a liar twists what it says.

use alloy_primitives::U256;
use cairn_genesis::{Header, Seal};
use cairn_node::network::limits::ANSWER_TIMEOUT_MS;
use cairn_node::network::{Announcement, Request, Response, Status, Topic};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::wire::Message;

/// When the answer of a liar that drags arrives, in milliseconds: just in time.
pub const DRAG_MS: u64 = ANSWER_TIMEOUT_MS - 500;

/// What a liar does. It runs the real node otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// Mines blocks with a wrong state root, and further ones on them: sealed, but invalid. It
    /// claims their work, and has all that others ask for.
    InvalidBlocks,
    /// Announces blocks and shows headers, but never sends a body.
    Withholds,
    /// Shows long chains of the easiest headers, and claims that they are heavier.
    FloodsHeaders,
    /// Claims work that it does not have, and answers with the headers that everybody knows, as
    /// late as it can.
    Drags,
    /// Claims work that it does not have.
    WrongStatus,
    /// Announces to each something else: other transactions, other seals.
    Equivocates,
    /// Sends bytes that are nothing.
    Garbage,
    /// Sends bodies of other blocks.
    WrongBodies,
}

impl Lie {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::InvalidBlocks,
        Self::Withholds,
        Self::FloodsHeaders,
        Self::Drags,
        Self::WrongStatus,
        Self::Equivocates,
        Self::Garbage,
        Self::WrongBodies,
    ];

    /// Draws one.
    pub fn draw(rng: &mut ChaCha8Rng) -> Self {
        Self::ALL[rng.random_range(0..Self::ALL.len())]
    }

    /// Whether it has hash power of its own.
    pub fn mines(self) -> bool {
        matches!(
            self,
            Self::InvalidBlocks | Self::Withholds | Self::Equivocates | Self::WrongBodies
        )
    }

    /// Whether honest nodes have to ban whoever does so. That a block proves invalid in execution
    /// blames nobody who passed it on, and that a body stays away may have many reasons.
    pub fn must_be_banned(self) -> bool {
        !matches!(self, Self::InvalidBlocks | Self::Withholds)
    }

    /// Whether it claims work that it does not have.
    fn boasts(self) -> bool {
        matches!(self, Self::WrongStatus | Self::FloodsHeaders | Self::Drags)
    }

    /// Whether it keeps the answer to this back for as long as it can.
    pub fn drags(self, asked: Option<&Request>) -> bool {
        self == Self::Drags && matches!(asked, Some(Request::Headers { .. }))
    }

    /// What it says in place of `message`, or nothing.
    pub fn twist(
        self,
        rng: &mut ChaCha8Rng,
        asked: Option<&Request>,
        message: Message,
    ) -> Option<Message> {
        match (self, message) {
            (_, Message::Hello(bytes)) if self.boasts() => Some(Message::Hello(boast(rng, &bytes))),
            (_, Message::Welcome(Some(bytes))) if self.boasts() => {
                Some(Message::Welcome(Some(boast(rng, &bytes))))
            }
            (Self::Withholds, Message::Response(id, _))
                if !matches!(asked, Some(Request::Headers { .. })) =>
            {
                match rng.random_range(0..3) {
                    0 => None,
                    1 => Some(Message::Response(id, None)),
                    _ => Some(Message::Response(id, empty(asked))),
                }
            }
            (Self::WrongBodies, Message::Response(id, Some(bytes))) => {
                Some(Message::Response(id, Some(wrong_bodies(&bytes))))
            }
            (Self::Equivocates, Message::Gossip(Topic::Blocks, bytes)) => {
                Some(Message::Gossip(Topic::Blocks, other_news(rng, &bytes)))
            }
            (Self::Garbage, message) => Some(match rng.random_bool(0.3) {
                true => garbage(rng, message),
                false => message,
            }),
            (_, message) => Some(message),
        }
    }
}

fn boast(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let mut status = Status::decode(bytes).expect("our own");
    status.work += U256::from(rng.random_range(1..1u64 << 40));
    status.number += 1_000;
    status.encode()
}

fn empty(asked: Option<&Request>) -> Option<Vec<u8>> {
    Some(match asked? {
        Request::Bodies { .. } => Response::Bodies(Vec::new()).encode(),
        Request::BlockTransactions { .. } => Response::BlockTransactions(Vec::new()).encode(),
        Request::Transactions { .. } => Response::Transactions(Vec::new()).encode(),
        Request::Pool => Response::Pool(Vec::new()).encode(),
        Request::Headers { .. } => Response::Headers(Vec::new()).encode(),
    })
}

/// Finds a nonce.
pub fn seal(header: &Header) -> Seal {
    let target = cairn_genesis::Target::from_bits(header.bits).expect("good bits");
    let mut seal = Seal {
        version: cairn_genesis::SEAL_VERSION,
        time: u32::try_from(header.timestamp).expect("before 2106"),
        nonce: 0,
        extranonce: [0; 12],
    };
    while !target.is_met_by(cairn_genesis::block_hash(header, &seal)) {
        seal.nonce += 1;
    }
    seal
}

fn wrong_bodies(bytes: &[u8]) -> Vec<u8> {
    match Response::decode(bytes) {
        Ok(Response::Bodies(mut bodies)) => {
            // A list of one empty string, which is no envelope.
            bodies
                .iter_mut()
                .for_each(|body| *body = vec![0xc1, 0x80].into());
            Response::Bodies(bodies).encode()
        }
        _ => bytes.to_vec(),
    }
}

fn other_news(rng: &mut ChaCha8Rng, bytes: &[u8]) -> Vec<u8> {
    let mut announcement = Announcement::decode(bytes).expect("our own");
    match rng.random_range(0..3) {
        0 => announcement.short_ids.push([7; 5]),
        1 => announcement.short_ids.reverse(),
        _ => announcement.seal.nonce ^= 1,
    }
    announcement.encode()
}

fn garbage(rng: &mut ChaCha8Rng, message: Message) -> Message {
    let mut noise = |bytes: Vec<u8>| -> Vec<u8> {
        let mut bytes = bytes;
        match rng.random_range(0..3) {
            0 => bytes.truncate(rng.random_range(0..=bytes.len())),
            1 => bytes.push(0),
            _ => bytes
                .iter_mut()
                .for_each(|byte| *byte ^= rng.random::<u8>() & 0x11),
        }
        bytes
    };
    match message {
        Message::Hello(bytes) => Message::Hello(noise(bytes)),
        Message::Welcome(bytes) => Message::Welcome(bytes.map(noise)),
        Message::Request(id, bytes) => Message::Request(id, noise(bytes)),
        Message::Response(id, bytes) => Message::Response(id, bytes.map(noise)),
        Message::Gossip(topic, bytes) => Message::Gossip(topic, noise(bytes)),
    }
}
