//! The checks that cost time and need no context: signatures and body roots. They run on
//! threads of their own, or at once in the simulation.

use alloy_primitives::{B256, Bytes};
use cairn_genesis::check::alone;
use cairn_genesis::{
    Block, BlockFault, ChainSpec, Header, InvalidBlock, Seal, Transaction, TransactionError,
    VerifiedBlock, VerifiedTransaction,
};
use rayon::prelude::*;

use super::{AdmitToken, Peer};

/// A check to be made.
#[derive(Debug)]
pub enum Check {
    /// A transaction from a peer.
    Transaction {
        /// Comes back with the outcome.
        token: AdmitToken,
        /// Its bytes.
        envelope: Bytes,
    },
    /// A block put together from the pool and from what a peer sent.
    Parts {
        /// Who announced it.
        peer: Peer,
        /// Its hash.
        block: B256,
        /// The header.
        header: Header,
        /// The seal.
        seal: Seal,
        /// The transactions in order.
        parts: Vec<Part>,
    },
    /// A body that a peer sent.
    Body {
        /// Who wants to know.
        origin: Origin,
        /// Who sent it.
        peer: Peer,
        /// Hash of the block.
        block: B256,
        /// The header.
        header: Header,
        /// The seal.
        seal: Seal,
        /// RLP list of envelopes.
        body: Bytes,
    },
}

/// How a block came to be checked, and so whom the outcome is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The relay put it together.
    Parts,
    /// The relay asked for its whole body.
    Whole,
    /// Sync asked for its body.
    Sync,
}

/// One transaction of a block that is put together.
#[derive(Debug, Clone)]
pub enum Part {
    /// From our pool.
    Known(VerifiedTransaction),
    /// From the peer: an envelope.
    New(Bytes),
}

/// The outcome of a [`Check`].
#[derive(Debug)]
pub enum Checked {
    /// Of [`Check::Transaction`].
    Transaction {
        /// Whose.
        token: AdmitToken,
        /// The transaction, its signature checked.
        result: Result<VerifiedTransaction, TransactionError>,
    },
    /// Of [`Check::Parts`] and [`Check::Body`].
    Block {
        /// Who announced or sent it.
        peer: Peer,
        /// Its hash.
        block: B256,
        /// How it came.
        origin: Origin,
        /// The block, all of it checked that needs no context.
        result: Result<Box<VerifiedBlock>, BlockFault>,
    },
}

/// Makes a check.
pub fn run(spec: &ChainSpec, check: Check) -> Checked {
    match check {
        Check::Transaction { token, envelope } => Checked::Transaction {
            token,
            result: Transaction::decode(&envelope)
                .and_then(|transaction| VerifiedTransaction::new(transaction, spec.chain_id)),
        },
        Check::Parts {
            peer,
            block,
            header,
            seal,
            parts,
        } => Checked::Block {
            peer,
            block,
            origin: Origin::Parts,
            result: from_parts(spec, header, seal, parts).map(Box::new),
        },
        Check::Body {
            origin,
            peer,
            block,
            header,
            seal,
            body,
        } => Checked::Block {
            peer,
            block,
            origin,
            result: from_body(spec, header, seal, &body).map(Box::new),
        },
    }
}

fn from_parts(
    spec: &ChainSpec,
    header: Header,
    seal: Seal,
    parts: Vec<Part>,
) -> Result<VerifiedBlock, BlockFault> {
    let expected = header.transactions_root;
    let transactions = parts.into_par_iter().map(|part| match part {
        Part::Known(transaction) => Some(transaction),
        Part::New(envelope) => {
            let transaction = Transaction::decode(&envelope).ok()?;
            VerifiedTransaction::new(transaction, spec.chain_id).ok()
        }
    });
    // A part that is no transaction does not say that the block is invalid: it may be
    // another than the block's.
    let mutated = |got| BlockFault::Mutated { expected, got };
    let transactions: Option<Vec<_>> = transactions.collect();
    let transactions = transactions.ok_or(mutated(B256::ZERO))?;
    VerifiedBlock::seal(spec, header, seal, transactions).map_err(|invalid| match invalid {
        InvalidBlock::TransactionsRoot { got, .. } => mutated(got),
        invalid => BlockFault::Invalid(invalid),
    })
}

fn from_body(
    spec: &ChainSpec,
    header: Header,
    seal: Seal,
    body: &[u8],
) -> Result<VerifiedBlock, BlockFault> {
    let expected = header.transactions_root;
    let transactions = decode_body(body).ok_or(BlockFault::Mutated {
        expected,
        got: B256::ZERO,
    })?;
    let block = Block {
        header,
        seal,
        transactions,
    };
    alone::block_with(spec, block, |transactions| {
        crate::chain::verify::signatures(spec, transactions)
    })
}

/// Reads a body up to its first bad envelope: empty ones come for a byte each, and would
/// take many times that to keep.
fn decode_body(mut body: &[u8]) -> Option<Vec<Transaction>> {
    let mut rest = alloy_rlp::Header::decode_bytes(&mut body, true).ok()?;
    let mut transactions = Vec::new();
    while !rest.is_empty() {
        let envelope = alloy_rlp::Header::decode_bytes(&mut rest, false).ok()?;
        transactions.push(Transaction::decode(envelope).ok()?);
    }
    body.is_empty().then_some(transactions)
}
