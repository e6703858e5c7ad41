//! Bounds on what a peer can make us hold or do, and times, that more than one file goes by. The
//! others are beside what they bound.

/// Newest version of the protocols of this program.
pub const PROTOCOL_VERSION: u32 = 1;

/// Longest name and version of its program that a peer may tell.
pub const MAX_CLIENT_BYTES: usize = 64;

/// Bytes of a frame beyond the largest block: list heads and the kind of the message.
pub const FRAME_OVERHEAD_BYTES: usize = 64 << 10;

/// Hashes of a locator: 10 of the latest blocks and then ever larger steps; more than
/// 2^54 blocks would be needed to fill it.
pub const MAX_LOCATOR: usize = 64;

/// Headers in one answer, about 250 bytes each. Trades round trips against the work that
/// one message causes.
pub const MAX_HEADERS: usize = 1_024;

/// Bodies that one request may ask for.
pub const MAX_BODIES: usize = 128;

/// Bytes after which an answer takes in no further body.
pub const BODIES_BYTES: usize = 2 << 20;

/// Hashes in the answer about the pool, and those that are asked for afterwards.
pub const MAX_POOL_HASHES: usize = 4_096;

/// Transactions that one request may ask for: 256 of the largest do not fit a frame, the
/// answer then ends early.
pub const MAX_TRANSACTIONS: usize = 256;

/// Transactions of one block that one request may ask for by their positions; who misses
/// more asks for the whole body. A block of 60 million gas has at most 2,857.
pub const MAX_POSITIONS: usize = 4_096;

/// Transactions of one announced block: the largest block has no more, since the signature of
/// each takes 64 bytes.
pub const MAX_SHORT_IDS: usize = (8 << 20) / 64;

/// Headers above the last imported block that are held in memory, about 500 bytes each.
/// Trades memory against how often header and body download wait for each other.
pub const HEADER_WINDOW: usize = 4_096;

/// Bytes of bodies that are asked for, being checked or waiting for their turn; the last block may
/// go beyond it.
pub const BODY_WINDOW_BYTES: usize = 64 << 20;

/// How old a new tip may be to be announced, in seconds since its timestamp.
pub const NEWS_S: u64 = 120;

/// Announced blocks whose missing transactions are on their way.
pub const MAX_BUILDING: usize = 32;

/// The same of one peer: more at once is not how blocks come about.
pub const MAX_BUILDING_PER_PEER: usize = 4;

/// Transactions of peers that are being checked or wait for the core; further ones are
/// dropped, which costs the sender nothing.
pub const MAX_CHECKING: usize = 1_024;

/// The same of one peer, so that one cannot take the places of all others.
pub const MAX_CHECKING_PER_PEER: usize = 256;

/// Requests of one peer that are answered at the same time: as many as a node asks of one, two
/// for bodies and one for the lowest of them, one for headers, one about the pool and
/// [`MAX_BUILDING_PER_PEER`].
pub const MAX_SERVING_PER_PEER: usize = 5 + MAX_BUILDING_PER_PEER;

/// Requests that one peer may make in a second, on average.
pub const REQUESTS_PER_S: u64 = 100;

/// The same in a burst.
pub const REQUEST_BURST: u64 = 400;

/// Announcements of one peer in a second, on average, that turn out to be of no use. Honest
/// peers pass on one for a block; but each that differs is known for half a minute, and a block
/// can be announced in many wrong ways that cost nothing.
pub const USELESS_PER_S: u64 = 400;

/// The same in a burst.
pub const USELESS_BURST: u64 = 2_000;

/// How often a peer may ask who we are and where we stand, on average. Honest ones ask every ten
/// seconds, and when they hear of a chain that may be better: every [`HELLO_SPACING_MS`] at most.
pub const HELLOS_PER_S: u64 = 5;

/// The same in a burst.
pub const HELLO_BURST: u64 = 100;

/// The shortest time between two such questions of ours to one peer: well within what it allows,
/// however often strangers give us reason to ask.
pub const HELLO_SPACING_MS: u64 = 500;

const _: () = assert!(1000 / HELLO_SPACING_MS < HELLOS_PER_S);

/// How long a peer may take to say who it is, and to answer small requests.
pub const ANSWER_TIMEOUT_MS: u64 = 10_000;

/// How long the sender of an announcement may take to send what we miss of the block.
pub const BUILD_TIMEOUT_MS: u64 = 3_000;

/// How often each peer is asked where it stands: finds the heavier chain also where no
/// new block is announced.
pub const STATUS_INTERVAL_MS: u64 = 10_000;

/// The shortest time that a request for bodies gets.
pub const MIN_BODIES_TIMEOUT_MS: u64 = 2_000;

/// The longest.
pub const MAX_BODIES_TIMEOUT_MS: u64 = 20_000;

/// Stalls in a row after which a peer is left.
pub const MAX_STALLS: u32 = 3;

/// Penalty points at which a peer is banned.
pub const BAN_POINTS: u32 = 100;

/// Time in which one point is forgiven.
pub const POINT_FORGIVEN_MS: u64 = 30_000;

/// How long a ban lasts.
pub const BAN_MS: u64 = 60 * 60 * 1000;
