//! Cairn's virtual machine: one transaction in, one outcome out.
//!
//! The machine runs Ethereum's Osaka instruction set by Ethereum's rules of accounts, gas and fees, and knows
//! nothing of chains, disks or networks. It reads the world through the four methods of [`State`] and never
//! writes to it: what a transaction changes comes back as a [`Diff`].
//!
//! ```text
//!            TxEnv, BlockEnv                                               Outcome
//!                  │                                                          ▲
//!   phases/  validate ──► buy ──► authorize ──► run ──► refund ──► pay ───────┤ status, gas, logs
//!                  │        │         │          │                    │       │
//!                  │        │         │       engine: frames          │       │
//!                  │        │         │        ▲      │ call, create  │       │
//!                  │        │         │        │  interpreter ◄── code: blocks of operations
//!                  ▼        ▼         ▼        ▼      ▼               ▼       │
//!   journal/  accounts · storage · code · warm sets · logs, with undo ────────┘ diff
//!                  │
//!                  ▼ each account at most once per transaction
//!                State
//! ```
//!
//! - [`machine`] composes the phases and owns what is reused between transactions; `phases/` holds one file each.
//! - [`mod@opcode`] is the one table of instructions; `code/` turns bytes into what the interpreter runs.
//! - `engine` runs frames within frames, `interpreter` one of them; `instructions/` holds what is more than
//!   arithmetic, `word` the arithmetic.
//! - [`journal`] remembers every change so that a frame can be undone exactly.
//! - [`gas`] is the gas schedule; [`delegation`] is EIP-7702's indicator; [`trace`] lets others watch.
//!
//! Three results are never mixed: an invalid transaction ([`TransactError::Invalid`], nothing happened
//! and nothing is paid), a transaction that ran ([`Outcome`], whatever its [`Status`]), and a state that
//! could not be read ([`TransactError::State`], which says nothing about the transaction).
//!
//! Deliberately absent: signatures (the caller recovers senders and authorities), blob transactions, forks
//! other than Osaka, clocks, globals, recursion. The gas left in the block is the caller's matter as well.

mod code;
mod engine;
mod frame;
mod hashes;
mod init_code;
mod instructions;
mod interpreter;
mod memory;
mod phases;
mod programs;
mod word;

pub mod delegation;
pub mod env;
pub mod error;
pub mod gas;
pub mod journal;
pub mod machine;
pub mod opcode;
pub mod outcome;
pub mod precompiles;
pub mod state;
pub mod trace;

pub use env::{Authorization, BlockEnv, CallRequest, TxEnv};
pub use error::{InvalidTransaction, TransactError};
pub use gas::IntrinsicGas;
pub use journal::Journal;
pub use machine::Machine;
pub use outcome::{AccountDiff, Diff, Halt, Outcome, SlotDiff, Status};
pub use precompiles::{
    PrecompileFailure, PrecompileFn, PrecompileOutput, PrecompileResult, Precompiles,
};
pub use state::{AccountInfo, State};
