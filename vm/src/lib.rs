//! Cairn's virtual machine: one transaction in, one outcome out.
//!
//! The machine knows accounts, gas and fees by Ethereum's Osaka rules, and nothing of chains, disks
//! or networks. It reads the world through the four methods of [`State`] and never writes to it: what
//! a transaction changes comes back as a [`Diff`].
//!
//! ```text
//!            TxEnv, BlockEnv                                               Outcome
//!                  │                                                          ▲
//!   phases/  validate ──► buy ──► authorize ──► run ──► refund ──► pay ───────┤ status, gas, logs
//!                  │        │         │          │                    │       │
//!                  │        │         │      call │ create            │       │
//!                  ▼        ▼         ▼          ▼                    ▼       │
//!   journal/  accounts · storage · code · warm sets · logs, with undo ────────┘ diff
//!                  │
//!                  ▼ each account at most once per transaction
//!                State
//! ```
//!
//! - [`machine`] composes the phases and owns what is reused between transactions.
//! - `phases/` holds one file per phase; `frame`, `call` and `create` what one frame does.
//! - [`journal`] remembers every change so that a frame can be undone exactly.
//! - [`gas`] is the gas schedule as far as transactions need it; [`delegation`] is EIP-7702's indicator.
//!
//! Three results are never mixed: an invalid transaction ([`TransactError::Invalid`], nothing happened
//! and nothing is paid), a transaction that ran ([`Outcome`], whatever its [`Status`]), and a state that
//! could not be read ([`TransactError::State`], which says nothing about the transaction).
//!
//! Deliberately absent: an interpreter (code that would have to run halts with [`Halt::NoInterpreter`]),
//! signatures (the caller recovers senders and authorities), blob transactions, earlier forks, clocks,
//! globals. The gas left in the block is the caller's matter as well.

mod call;
mod create;
mod frame;
mod phases;

pub mod delegation;
pub mod env;
pub mod error;
pub mod gas;
pub mod journal;
pub mod machine;
pub mod outcome;
pub mod precompiles;
pub mod state;

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
