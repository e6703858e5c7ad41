//! # The rules of the Cairn ledger
//!
//! Everything that two nodes must agree on, and nothing else. `docs/protocol.md` numbers the
//! rules; the code quotes the number and the sentence where it applies one.
//!
//! Everything about the ledger is Ethereum's (keccak-256, RLP, 20-byte addresses, Merkle-Patricia
//! roots, EIP-1559 fees); everything about the seal is Bitcoin's (SHA-256d over 80 bytes, compact
//! targets, a coinbase that carries the commitment to the ledger's header).
//!
//! ## The life of a block
//!
//! ```text
//! bytes ──Block::decode──► Block ──check::alone──► VerifiedBlock     needs the block only
//!                                        │
//!                            check::after_parent ──► Linked          needs the parent's header
//!                                        │
//!                               (the node executes)
//!                                        │
//!                            check::after_execution                  needs what execution gave
//! ```
//!
//! Each stage yields a type that the next one asks for, so a check cannot be forgotten or made
//! twice. A transaction takes the same way: [`Transaction`] (decoded, canonical) becomes
//! [`VerifiedTransaction`] (signature and stateless rules checked).
//!
//! ## Where to find what
//!
//! | module | holds |
//! |---|---|
//! | `header`, `seal`, `block` | the bytes of a block, and its hash |
//! | `transaction`, `receipt`, `roots` | envelopes, signatures, gas bounds, receipts, tries |
//! | `pow`, `asert` | compact targets, work, the difficulty algorithm |
//! | `reward`, `fee` | subsidy, base fee |
//! | `account`, `spec` | genesis accounts, chain specs, the built-in chains |
//! | [`check`] | the validity rules, split by the context they may see |
//!
//! ## What is deliberately absent
//!
//! No clock (`now` is an argument), no I/O, no randomness, no threads, no fork choice, no
//! execution, no signing. Nothing here can fail for our own reasons: an error always says that
//! the input breaks a rule.

mod account;
mod asert;
mod block;
pub mod check;
mod codec;
mod fee;
mod header;
mod pow;
mod receipt;
mod reward;
mod roots;
mod seal;
mod spec;
mod transaction;
#[cfg(test)]
mod vectors;

pub use account::{GenesisAccount, account_rlp, state_root};
pub use asert::{Asert, AsertAnchor};
pub use block::{Block, MAX_BLOCK_BYTES};
pub use check::alone::{SealedHeader, VerifiedBlock};
pub use check::error::{BlockFault, InvalidBlock, NotYet};
pub use codec::DecodeError;
pub use fee::next_base_fee;
pub use header::{Header, MAX_EXTRA_BYTES, MAX_NUMBER, MAX_TIMESTAMP};
pub use pow::{BitsError, Target};
pub use receipt::{Receipt, logs_bloom};
pub use reward::subsidy;
pub use roots::{receipts_root, transactions_root};
pub use seal::{
    EXTRANONCE_BYTES, SEAL_TIME_WINDOW_S, SEAL_VERSION, SEAL_VERSION_MASK, Seal, block_hash,
    coinbase, sealing_bytes,
};
pub use spec::{
    AsertParameters, ChainSpec, Difficulty, HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS,
    NextBits, ParentTimes, SpecError,
};
pub use transaction::gas::{MAX_INIT_CODE_BYTES, MAX_TRANSACTION_GAS, floor_gas, intrinsic_gas};
pub use transaction::native::{NATIVE_TYPE, NativeTransaction, native_address};
pub use transaction::signature::{recover_secp256k1, verify_ed25519};
pub use transaction::{
    Body, Transaction, TransactionError, TransactionSignature, VerifiedTransaction,
};
