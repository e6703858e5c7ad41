//! Why a transaction was not taken, or is no longer held.
//!
//! Every message begins with the words that go-ethereum uses for the same case,
//! because wallets and libraries recognise the case by them; what follows the
//! colon says in numbers what was found, what was expected and, where the user
//! can do something about it, what.

use alloy_primitives::{Address, B256, U256};
use cairn_genesis::TransactionError;
use thiserror::Error;

use super::order::Worth;

/// Why the pool did not take a transaction. Fees are in wei per gas, balances
/// and costs in wei, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// It breaks a rule that needs no state, and can never be mined on this chain. The
    /// pool itself never says so, as it only sees verified transactions; whoever
    /// verifies them for users does.
    #[error("{words}: {0}", words = words_for(.0))]
    Invalid(#[from] TransactionError),
    /// The very same transaction is in the pool.
    #[error("already known: transaction {hash} is in the pool")]
    AlreadyKnown {
        /// Hash of the transaction.
        hash: B256,
    },
    /// The envelope is longer than the pool takes.
    #[error("oversized data: the transaction has {got} bytes, at most {expected} are taken")]
    Oversized {
        /// Length of the envelope.
        got: usize,
        /// The longest that is taken.
        expected: usize,
    },
    /// No block could hold it.
    #[error("exceeds block gas limit: the transaction asks for {got} gas, a block has {expected}")]
    GasLimit {
        /// Gas limit of the transaction.
        got: u64,
        /// Gas limit of a block.
        expected: u64,
    },
    /// The base fee never falls low enough for it.
    #[error(
        "transaction underpriced: max fee per gas {got} is below {expected}, the lowest base fee of this chain, so it could never be mined"
    )]
    Underpriced {
        /// Max fee of the transaction.
        got: u128,
        /// The floor of the chain's base fee.
        expected: u64,
    },
    /// A contract cannot send transactions (EIP-3607).
    #[error("sender not an eoa: {sender} holds a contract, and contracts cannot send transactions")]
    SenderIsContract {
        /// The sender.
        sender: Address,
    },
    /// The nonce has been used in a block.
    #[error("nonce too low: got {got}, expected {expected}, the next nonce of {sender}")]
    NonceTooLow {
        /// The sender.
        sender: Address,
        /// Nonce of the transaction.
        got: u64,
        /// Nonce of the account.
        expected: u64,
    },
    /// The nonce lies too far ahead of the account's.
    #[error(
        "nonce too high: got {got}, expected at most {expected}: {sender} is at nonce {account}, and transactions are held up to {} beyond; send the missing ones first",
        expected.saturating_sub(*account)
    )]
    NonceTooHigh {
        /// The sender.
        sender: Address,
        /// Nonce of the transaction.
        got: u64,
        /// The highest nonce that is held.
        expected: u64,
        /// Nonce of the account.
        account: u64,
    },
    /// A delegated sender may have its very next nonce in the pool, and nothing else.
    #[error(
        "in-flight transaction limit reached for delegated accounts: {sender} is delegated (EIP-7702) and may have only nonce {expected} in the pool, got {got}; wait until that one is mined"
    )]
    Delegated {
        /// The sender.
        sender: Address,
        /// Nonce of the transaction.
        got: u64,
        /// Nonce of the account.
        expected: u64,
    },
    /// The transaction would delegate an account that has several transactions in the pool.
    #[error(
        "authority already reserved: {authority} has {got} transactions in the pool, a transaction that delegates it is taken with at most {expected}"
    )]
    AuthorityReserved {
        /// The account that signed the authorization.
        authority: Address,
        /// How many transactions it has in the pool.
        got: usize,
        /// How many it may have.
        expected: usize,
    },
    /// Another transaction has the nonce, and this one does not pay enough more.
    #[error(
        "replacement transaction underpriced: {fee} {got}, expected at least {expected} to replace {replaced}"
    )]
    ReplacementUnderpriced {
        /// Which of the two fees is too low.
        fee: Fee,
        /// That fee of the transaction.
        got: u128,
        /// The lowest that replaces; beyond 2^128 nothing does.
        expected: U256,
        /// Hash of the transaction that stays.
        replaced: B256,
    },
    /// The sender has as many transactions in the pool as one sender may have.
    #[error(
        "account limit exceeded: {sender} has {got} transactions in the pool, at most {expected} are held; wait until some are mined"
    )]
    AccountLimit {
        /// The sender.
        sender: Address,
        /// How many it has.
        got: usize,
        /// How many it may have.
        expected: usize,
    },
    /// The sender cannot pay for it on top of what it has in the pool with lower nonces.
    #[error(
        "insufficient funds for gas * price + value: {sender} has {got} wei, expected {expected} wei for this transaction and {earlier} before it in the pool"
    )]
    InsufficientFunds {
        /// The sender.
        sender: Address,
        /// Balance of the account.
        got: U256,
        /// The most that this transaction and those before it can cost.
        expected: U256,
        /// How many of the sender's transactions in the pool have lower nonces.
        earlier: usize,
    },
    /// Everything in the pool is worth at least as much.
    #[error("txpool is full: pays {got}, needs more than {expected}")]
    PoolFull {
        /// What the transaction is worth to a miner now.
        got: Worth,
        /// What the cheapest one in the pool is worth, which would have to go.
        expected: Worth,
    },
}

impl Refusal {
    /// A stable word for programs, beside the message for people.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::AlreadyKnown { .. } => "already_known",
            Self::Oversized { .. } => "oversized",
            Self::GasLimit { .. } => "exceeds_block_gas_limit",
            Self::Underpriced { .. } => "underpriced",
            Self::SenderIsContract { .. } => "sender_is_contract",
            Self::NonceTooLow { .. } => "nonce_too_low",
            Self::NonceTooHigh { .. } => "nonce_too_high",
            Self::Delegated { .. } => "delegated_limit",
            Self::AuthorityReserved { .. } => "authority_reserved",
            Self::ReplacementUnderpriced { .. } => "replacement_underpriced",
            Self::AccountLimit { .. } => "account_limit",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::PoolFull { .. } => "pool_full",
        }
    }
}

/// The words by which tools recognise a transaction that is invalid in itself.
fn words_for(error: &TransactionError) -> &'static str {
    match error {
        TransactionError::ChainId { .. } => "invalid chain id for signer",
        TransactionError::NoChainId => {
            "only replay-protected (EIP-155) transactions allowed over RPC"
        }
        TransactionError::UnknownType { .. } | TransactionError::Blob => {
            "transaction type not supported"
        }
        TransactionError::NonceTooHigh => "nonce has max value",
        TransactionError::GasLimitTooLow { .. } => "intrinsic gas too low",
        TransactionError::GasLimitTooHigh { .. } => "transaction gas limit too high",
        TransactionError::InitCodeTooLong { .. } => "max initcode size exceeded",
        TransactionError::PriorityFeeAboveMaxFee { .. } => {
            "max priority fee per gas higher than max fee per gas"
        }
        TransactionError::NoAuthorizations => "EIP-7702 transaction with empty auth list",
        TransactionError::SignatureScheme
        | TransactionError::SignatureRange
        | TransactionError::HighS
        | TransactionError::NoSigner
        | TransactionError::Ed25519 => "invalid sender",
        _ => "invalid transaction",
    }
}

/// One of the two fees that a replacement has to raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fee {
    /// The most that is paid per gas; the gas price of older transaction types.
    Max,
    /// The most that the miner gets per gas; the gas price of older transaction types.
    MaxPriority,
}

impl std::fmt::Display for Fee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Max => "max fee per gas",
            Self::MaxPriority => "max priority fee per gas",
        })
    }
}

/// Outcome of an admission that did not succeed: refused, or our own failure.
/// The two are never mixed: `E` says nothing about the transaction.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AdmitError<E> {
    /// A rule of the pool speaks against the transaction.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The sender's account could not be read.
    #[error("the sender's account could not be read: {0}")]
    Accounts(#[source] E),
}

/// Why a transaction that was in the pool, or in a disconnected block, is not in the pool now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DropReason {
    /// It is in a block of the chain now.
    #[error("mined")]
    Mined,
    /// Its nonce was used in a block by another transaction of the sender.
    #[error(
        "nonce {got} was used by another transaction that is mined: {sender} is at nonce {expected}"
    )]
    NonceUsed {
        /// The sender.
        sender: Address,
        /// Nonce of the transaction.
        got: u64,
        /// Nonce of the account.
        expected: u64,
    },
    /// A returned transaction with the same nonce pays enough more.
    #[error("replaced by transaction {by}, which came back from a disconnected block")]
    Replaced {
        /// Hash of the other one.
        by: B256,
    },
    /// It paid the least when the pool was over its limits.
    #[error("the txpool is full and this transaction was the cheapest: it pays {got}")]
    PoolFull {
        /// What it was worth to a miner.
        got: Worth,
    },
    /// It could not be executed for too long.
    #[error("it could not be executed for {got_ms} ms, at most {expected_ms} ms are waited")]
    Expired {
        /// How long it had been waiting.
        got_ms: u64,
        /// The longest that is waited.
        expected_ms: u64,
    },
    /// A rule speaks against it at the new tip.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Why a transaction is no longer in the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// Another transaction of the sender took its nonce, paying more.
    Replaced {
        /// The one that took its place.
        by: B256,
    },
    /// It had to make room for one that pays more.
    Evicted,
    /// A change of the tip, or time, spoke against it; also [`DropReason::Mined`].
    Dropped(DropReason),
}

#[cfg(test)]
mod tests {
    use super::super::testing::native;
    use super::*;

    /// What wallets and libraries look for, and the details that follow.
    #[test]
    fn messages_begin_with_the_words_that_tools_know() {
        let (sender, hash) = (native(0), B256::ZERO);
        let wei = |wei: u64| U256::from(wei);
        let refusals = [
            (Refusal::AlreadyKnown { hash }, "already known: "),
            (
                Refusal::NonceTooLow {
                    sender,
                    got: 1,
                    expected: 2,
                },
                "nonce too low: got 1, expected 2",
            ),
            (
                Refusal::NonceTooHigh {
                    sender,
                    got: 70,
                    expected: 69,
                    account: 5,
                },
                "nonce too high: got 70, expected at most 69",
            ),
            (
                Refusal::ReplacementUnderpriced {
                    fee: Fee::Max,
                    got: 1,
                    expected: wei(2),
                    replaced: hash,
                },
                "replacement transaction underpriced: max fee per gas 1, expected at least 2",
            ),
            (
                Refusal::InsufficientFunds {
                    sender,
                    got: wei(1),
                    expected: wei(5),
                    earlier: 4,
                },
                "insufficient funds for gas * price + value: ",
            ),
            (
                TransactionError::GasLimitTooLow {
                    required: 21_000,
                    got: 5,
                }
                .into(),
                "intrinsic gas too low: the gas limit is 5",
            ),
            (
                TransactionError::PriorityFeeAboveMaxFee {
                    priority: 2,
                    max: 1,
                }
                .into(),
                "max priority fee per gas higher than max fee per gas: ",
            ),
            (
                TransactionError::ChainId {
                    expected: 1,
                    got: 2,
                }
                .into(),
                "invalid chain id for signer: ",
            ),
            (
                TransactionError::Blob.into(),
                "transaction type not supported: ",
            ),
            (
                Refusal::GasLimit {
                    got: 2,
                    expected: 1,
                },
                "exceeds block gas limit: ",
            ),
            (
                Refusal::Underpriced {
                    got: 1,
                    expected: 2,
                },
                "transaction underpriced: max fee per gas 1",
            ),
        ];
        for (refusal, words) in refusals {
            assert!(refusal.to_string().starts_with(words), "{refusal}");
        }
    }

    #[test]
    fn numbers_in_messages_add_up() {
        let (sender, wei) = (native(0), |wei: u64| U256::from(wei));
        let refusal = Refusal::InsufficientFunds {
            sender,
            got: wei(1),
            expected: wei(5),
            earlier: 4,
        };
        let expected = format!(
            "insufficient funds for gas * price + value: {sender} has 1 wei, expected 5 wei for this transaction and 4 before it in the pool"
        );
        assert_eq!(refusal.to_string(), expected);
        let refusal = Refusal::NonceTooHigh {
            sender,
            got: 70,
            expected: 69,
            account: 5,
        };
        assert!(refusal.to_string().contains("up to 64 beyond"), "{refusal}");
        assert_eq!(refusal.kind(), "nonce_too_high");
    }
}
