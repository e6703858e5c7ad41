//! What a transaction did: status, gas, output, logs, and the change to the state.

use crate::AccountInfo;
use alloy_primitives::{Address, Bytes, Log, U256};

/// The result of a transaction that was valid, whether or not it succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How the run ended.
    pub status: Status,
    /// For a creation its address, whether or not it succeeded; `None` for a call.
    pub created: Option<Address>,
    /// Gas paid for, after refunds and with EIP-7623's floor: what receipts add up.
    pub gas_used: u64,
    /// Gas given back by EIP-3529 (at most a fifth of what the run spent) before the floor was applied.
    pub gas_refunded: u64,
    /// What the outermost frame returned. Empty after a halt; for a creation the deployed code.
    pub output: Bytes,
    /// Logs in the order they were written; none unless the status is a success.
    pub logs: Vec<Log>,
    /// The change to the state, fees included.
    pub diff: Diff,
    /// Wei that ceased to exist because their account destroyed itself (EIP-6780). The burned base fee
    /// is not part of it: that is always `gas_used` × base fee.
    pub destroyed: U256,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Everything took effect.
    Success,
    /// The code asked for its changes to be undone; unused gas is kept.
    Revert,
    /// The run broke a rule: changes undone, all its gas consumed.
    Halt(Halt),
}

impl Status {
    /// Whether the run took effect: the `status` bit of a receipt.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Success)
    }
}

/// The rule that a halted run broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Halt {
    /// The gas did not suffice.
    #[error("out of gas")]
    OutOfGas,
    /// An instruction takes more items than the stack has.
    #[error("stack underflow")]
    StackUnderflow,
    /// The stack would hold more than 1,024 items.
    #[error("stack limit reached 1024")]
    StackOverflow,
    /// A jump to where there is no JUMPDEST.
    #[error("invalid jump destination")]
    InvalidJump,
    /// INVALID, or a byte that is no instruction.
    #[error("invalid opcode: {}", crate::opcode::name(*.0))]
    InvalidOpcode(u8),
    /// A change of the state within STATICCALL (EIP-214).
    #[error("write protection")]
    StaticViolation,
    /// RETURNDATACOPY reads beyond the data (EIP-211).
    #[error("return data out of bounds")]
    ReturnDataOutOfBounds,
    /// EIP-3860: init code above 49,152 bytes.
    #[error("max initcode size exceeded")]
    InitCodeTooLarge,
    /// EIP-170: deployed code above 24,576 bytes.
    #[error("max code size exceeded")]
    CodeTooLarge,
    /// EIP-3541: deployed code begins with 0xef.
    #[error("invalid code: must not begin with 0xef")]
    CodeBeginsWithEf,
    /// A call at depth 1,024.
    #[error("max call depth exceeded")]
    DepthExceeded,
    /// The creator's nonce is 2^64 − 1 (EIP-2681).
    #[error("nonce uint64 overflow")]
    NonceOverflow,
    /// A precompile refused its input.
    #[error("the precompile refused its input")]
    PrecompileFailed,
    /// EIP-684 and EIP-7610: the new contract's address is taken.
    #[error("a contract already stands at the new address")]
    CreateCollision,
    /// The value moved is more than the sender has.
    #[error("the balance does not cover the value")]
    InsufficientBalance,
    /// The receiver's balance would pass 2^256 − 1. No real supply can do that.
    #[error("the receiver's balance would overflow")]
    BalanceOverflow,
}

/// The accounts that a transaction changed, in ascending order of address. An account is listed only
/// if something about it differs from what the state said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// One entry per changed account.
    pub accounts: Vec<AccountDiff>,
}

/// One changed account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDiff {
    /// Whose account.
    pub address: Address,
    /// The account as the state had it.
    pub before: Option<AccountInfo>,
    /// The account now; `None` if it and all its storage are gone.
    pub after: Option<AccountInfo>,
    /// The new code, if `after.code_hash` is new and not the hash of empty code.
    pub code: Option<Bytes>,
    /// Changed slots in ascending order; empty if `after` is `None`.
    pub storage: Vec<SlotDiff>,
}

/// One changed storage slot. Zero stands for a slot that is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotDiff {
    /// Which slot.
    pub slot: U256,
    /// The value as the state had it.
    pub before: U256,
    /// The value now.
    pub after: U256,
}
