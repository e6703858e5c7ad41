//! What contracts are told and what they answer: Solidity's ABI, as people write and read it.
//!
//! ```text
//!  "transfer(address to, uint256)" ──signature──► Function ─────┐
//!  dev1 1.5cairn ────────────────────argument──► values ────────┴──► call data ──► contract
//!  text, JSON ◄──show── values ◄──────────────── Function ◄───────── output ◄────────┤
//!  a sentence ◄──────────────────────revert──────────────────────── revert data ◄────┘
//! ```
//!
//! Encoding and decoding are alloy's. Ours is what people see: texts are read by the type that
//! the signature names, and whatever does not fit is refused with its place. Nothing that a
//! contract answers can play with the terminal.
//!
//! Deliberately absent: events (logs are shown as they are), packed encoding, and EIP-712.

mod argument;
mod error;
mod number;
mod revert;
mod show;
mod signature;

pub use self::{
    argument::read_arguments,
    error::{AbiError, Place, ValueError},
    revert::Revert,
    show::{to_json, to_line, to_text},
    signature::{Constructor, Function, Parameter},
};
