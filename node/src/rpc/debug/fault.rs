//! What is wrong with an instruction or a frame, in geth's words.
//!
//! geth prices an instruction before it runs, and says "out of gas" in front of whatever the
//! computation of the price met.

use cairn_vm::Halt;
use cairn_vm::gas::MAX_INIT_CODE_LEN;

/// Why an instruction is not even begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It takes more than there is.
    #[error("stack underflow ({len} <=> {required})")]
    StackUnderflow {
        /// Items there are.
        len: usize,
        /// Items that it takes.
        required: usize,
    },
    /// There is no room for what it gives.
    #[error("stack limit reached {len} ({limit})")]
    StackOverflow {
        /// Items there are.
        len: usize,
        /// The most at which it can run.
        limit: usize,
    },
    /// The gas does not suffice.
    #[error("out of gas")]
    OutOfGas,
    /// It needs memory beyond what 64 bits count.
    #[error("gas uint64 overflow")]
    MemoryOverflow,
    /// It has no price.
    #[error("out of gas: {0}")]
    Unpriced(#[from] Unpriced),
}

/// Why an instruction has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unpriced {
    /// The gas does not suffice for a part of it that has to be paid before the rest is known.
    #[error("out of gas")]
    OutOfGas,
    /// 64 bits do not hold it.
    #[error("gas uint64 overflow")]
    Overflow,
    /// It is forbidden below a STATICCALL.
    #[error("write protection")]
    WriteProtection,
    /// EIP-2200's bound for SSTORE.
    #[error("not enough gas for reentrancy sentry")]
    Sentry,
    /// EIP-3860.
    #[error("max initcode size exceeded: code size {len} limit {MAX_INIT_CODE_LEN}")]
    InitCodeTooLarge {
        /// Length of the init code, bytes.
        len: u64,
    },
}

/// The words for a frame that broke a rule, where no [`Fault`] says it better.
pub fn halted(halt: Halt) -> String {
    match halt {
        Halt::InsufficientBalance => "insufficient balance for transfer".into(),
        Halt::CreateCollision => "contract address collision".into(),
        _ => halt.to_string(),
    }
}
