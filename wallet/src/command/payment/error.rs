//! What can go wrong with a transaction, each with what to do next.

use alloy_primitives::{Address, B256};
use thiserror::Error;

use crate::{amount::Amount, client::RpcError, transaction::PaymentError};

/// Why a transaction was not made, may not have been, or had no effect.
#[derive(Debug, Error)]
pub enum SendError {
    /// The node is on another chain than the user wants.
    #[error(
        "the node is on chain {got}, not on {expected}; nothing was sent, check --rpc and --chain-id"
    )]
    WrongChain {
        /// The node's chain.
        got: u64,
        /// The chain asked for.
        expected: u64,
    },
    /// The account cannot pay amount and fee.
    #[error(transparent)]
    Insufficient(Box<Shortfall>),
    /// The nonce belongs to a transaction that was mined.
    #[error("nonce {got} is used already, the next is {next}; leave --nonce out")]
    NonceUsed {
        /// The nonce asked for.
        got: u64,
        /// The first unused one.
        next: u64,
    },
    /// The highest fee is below the priority fee.
    #[error("the priority fee is above the highest fee; raise --max-fee or lower --priority-fee")]
    FeesReversed,
    /// A fee option that the transaction's type does not have.
    #[error("a transaction of type {kind} has no {option}; use {instead}")]
    FeeOption {
        /// The type.
        kind: String,
        /// The option given.
        option: &'static str,
        /// The options it has.
        instead: &'static str,
    },
    /// The node asks for a fee that nobody pays by accident.
    #[error(
        "the fee could be up to {fee}, which is more than is paid without being asked for; if it is right, set --gas and {option}"
    )]
    FeeTooHigh {
        /// The fee.
        fee: Amount,
        /// The option that sets its price.
        option: &'static str,
    },
    /// The node cannot tell how much gas it needs, because it fails with any.
    #[error("the {what} would fail: {reason}; nothing was sent, {check}")]
    WouldFail {
        /// A call or the creation of a contract.
        what: &'static str,
        /// The node's reason.
        reason: String,
        /// What to look at, in the words of the verb.
        check: &'static str,
    },
    /// The payment cannot be signed.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// The node understood the transaction and refused it.
    #[error("the node does not take the transaction: {reason}; {advice}")]
    Refused {
        /// The node's reason.
        reason: String,
        /// What to do about it.
        advice: &'static str,
    },
    /// The connection broke when the transaction was on its way.
    #[error(
        "it is not known whether the node took the transaction {hash} ({error}); repeat the command with --nonce {nonce}, so that it cannot be paid twice"
    )]
    Uncertain {
        /// The transaction.
        hash: B256,
        /// Its nonce.
        nonce: u64,
        /// What happened.
        error: Box<RpcError>,
    },
    /// The node says that it took another transaction.
    #[error(
        "the node answers with hash {got} to transaction {expected}; do not trust it, and look at another node before you send again"
    )]
    OtherHash {
        /// The transaction's hash.
        expected: B256,
        /// What the node says.
        got: B256,
    },
    /// Mined, but without effect.
    #[error(
        "transaction {hash} was mined in block {block} but failed: no coins moved except the fee of {fee}; {reason}"
    )]
    Failed {
        /// The transaction.
        hash: B256,
        /// Its block.
        block: u64,
        /// What it cost.
        fee: Amount,
        /// Why, as far as that can be found out.
        reason: String,
    },
    /// Another transaction with the same nonce was mined.
    #[error(
        "transaction {hash} was replaced: another transaction with nonce {nonce} was mined; see `cairn-wallet history`"
    )]
    Replaced {
        /// The transaction.
        hash: B256,
        /// Its nonce.
        nonce: u64,
    },
    /// The node forgot the transaction.
    #[error(
        "the node dropped transaction {hash} before it was mined{}; repeat the command with --nonce {nonce} and a higher fee",
        after_colon(why.as_deref())
    )]
    Dropped {
        /// The transaction.
        hash: B256,
        /// Its nonce.
        nonce: u64,
        /// The node's explanation, if it gives one.
        why: Option<String>,
    },
    /// Not mined in time.
    #[error(
        "transaction {hash} is not mined after {seconds} s{}{}; it may still be: look with `cairn-wallet history`, or replace it with --nonce {nonce} and fees at least 10 % higher",
        last.as_ref().map(|error| format!(" ({error})")).unwrap_or_default(),
        after_colon(why.as_deref())
    )]
    TimedOut {
        /// The transaction.
        hash: B256,
        /// Its nonce.
        nonce: u64,
        /// How long was waited.
        seconds: u64,
        /// The node's explanation, if it gives one.
        why: Option<String>,
        /// Why the node could not be asked at the end, if so.
        last: Option<Box<RpcError>>,
    },
    /// A question to the node failed before anything was sent.
    #[error(transparent)]
    Rpc(#[from] RpcError),
}

/// An account that cannot pay amount and fee.
#[derive(Debug, Error)]
#[error(
    "{from} has {balance}, but {amount} and a fee of up to {fee} are needed; send less, or get coins first"
)]
pub struct Shortfall {
    /// Who pays.
    pub from: Address,
    /// What it has.
    pub balance: Amount,
    /// What it shall send.
    pub amount: Amount,
    /// What that costs at most.
    pub fee: Amount,
}

fn after_colon(explanation: Option<&str>) -> String {
    let sentence = |why: &str| format!(": {}", why.trim_end_matches('.'));
    explanation.map(sentence).unwrap_or_default()
}

impl SendError {
    /// Why a transaction that was sent had no effect (yet), if that is known.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Failed { reason, .. } => Some(reason),
            Self::Dropped { why, .. } | Self::TimedOut { why, .. } => why.as_deref(),
            _ => None,
        }
    }

    /// Whether another command line is needed, whatever the node says.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::FeesReversed
                | Self::FeeOption { .. }
                | Self::Payment(PaymentError::Scheme { .. })
        )
    }

    /// Finds advice for a node's reason; the words are those that Cairn and geth use.
    pub(super) fn refused(reason: String) -> Self {
        // The first that fits counts.
        const ADVICE: [(&str, &str); 6] = [
            (
                "replacement",
                "a transaction with this nonce waits already, so raise both fees by 10 % or more",
            ),
            ("underpriced", "raise the fee"),
            ("is full", "raise the fee, or wait until others are mined"),
            (
                "nonce too low",
                "the nonce is used already, so leave --nonce out",
            ),
            (
                "nonce too high",
                "transactions must be sent in order, so leave --nonce out",
            ),
            (
                "insufficient",
                "transactions that wait count too, so send less or wait until they are mined",
            ),
        ];
        let lower = reason.to_ascii_lowercase();
        let known = ADVICE.iter().find(|(words, _)| lower.contains(words));
        let advice = known.map_or("nothing was sent", |(_, advice)| advice);
        Self::Refused { reason, advice }
    }
}
