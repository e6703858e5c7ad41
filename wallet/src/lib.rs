//! # The wallet of Cairn
//!
//! Keys, signatures, payments and calls of contracts. The wallet sees the world only through a node's JSON-RPC and
//! keeps nothing but encrypted keys.
//!
//! ```text
//!  words ──mnemonic──► seed ──derive──► PrivateKey ◄──keystore──► encrypted file
//!                                           │
//!  message ─────────► sign::Digest ─────────┤ signs nothing else
//!  Payment ─────────► sign::Digest ─────────┘──► envelope ──client──► node
//!     ▲                                                                │
//!  abi: call data                              abi: answers, reverts ◄─┘
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`cli`], [`command`], [`console`] | the program: arguments, one file per verb, prompts and output |
//! | [`amount`], [`address`], [`calendar`] | what people write and read |
//! | [`abi`] | what contracts are told and answer |
//! | [`mnemonic`], [`mod@derive`], [`key`] | from words to keys: BIP-39, SLIP-0010, both schemes |
//! | [`keystore`] | encrypted key files |
//! | [`sign`], [`transaction`] | what a key signs: messages (EIP-191) and transactions |
//! | [`client`] | JSON-RPC |
//!
//! ## What holds everywhere
//!
//! - Keys are on the disk only encrypted, in memory only as long as needed, and erased afterwards
//!   (as far as the libraries below let us: their stack copies are theirs).
//! - Secrets are never taken from the command line, where other users and shell histories see them.
//! - A key signs only what begins with 0x45 or 0x19, or is an Ethereum transaction.
//! - A node is not trusted: its answers are parsed strictly, and a fee of its choosing is bounded.
//!
//! ## What is deliberately absent
//!
//! A daemon, unlocked accounts, a cache of balances, an address book beyond the names of one's own
//! accounts, and tokio: one blocking request at a time is all a person needs.

pub mod abi;
pub mod address;
pub mod amount;
pub mod calendar;
pub mod cli;
pub mod client;
pub mod command;
pub mod console;
pub mod derive;
mod failure;
pub mod key;
pub mod keystore;
pub mod mnemonic;
pub mod sign;
#[cfg(test)]
mod test_server;
#[cfg(test)]
mod test_vectors;
pub mod transaction;

pub use cli::Arguments;
pub use command::run;
pub use failure::Failure;
