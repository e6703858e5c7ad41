//! What can be checked of a block that stands alone. The cheapest test of all comes first: a header
//! without its proof of work costs a liar nothing, and us two hashes.

use alloy_primitives::{B256, U256};

use super::error::{BlockFault, InvalidBlock};
use crate::{
    block::{self, Block},
    header::{Header, MAX_EXTRA_BYTES, MAX_NUMBER, MAX_TIMESTAMP},
    pow::Target,
    roots::transactions_root,
    seal::{SEAL_TIME_WINDOW_S, SEAL_VERSION, SEAL_VERSION_MASK, Seal, block_hash},
    spec::ChainSpec,
    transaction::{Transaction, VerifiedTransaction},
};

/// A header with its proof of work; the rules that need no parent hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedHeader {
    header: Header,
    seal: Seal,
    hash: B256,
    target: Target,
}

impl SealedHeader {
    /// The ledger's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The proof of work.
    pub fn seal(&self) -> &Seal {
        &self.seal
    }

    /// Hash of the block, in display order.
    pub fn hash(&self) -> B256 {
        self.hash
    }

    /// Hashes that the proof took on average; this block's alone.
    pub fn work(&self) -> U256 {
        self.target.work()
    }
}

/// A block whose header, body and signatures hold. What is left needs its parent and execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedBlock {
    sealed: SealedHeader,
    transactions: Vec<VerifiedTransaction>,
    size_bytes: usize,
}

impl VerifiedBlock {
    /// Puts together a block from transactions that are verified already: one of our own mining,
    /// or one that was relayed without the transactions that we knew.
    ///
    /// # Errors
    /// As [`block`], but a body that is not the header's is [`InvalidBlock::TransactionsRoot`].
    pub fn seal(
        spec: &ChainSpec,
        header: Header,
        seal: Seal,
        transactions: Vec<VerifiedTransaction>,
    ) -> Result<Self, InvalidBlock> {
        let sealed = self::header(spec, &header, &seal)?;
        let got = transactions_root(&transactions);
        let expected = header.transactions_root;
        if got != expected {
            return Err(InvalidBlock::TransactionsRoot { expected, got });
        }
        let size_bytes = block::size_bytes(&header, &seal, &transactions);
        check_size(spec, size_bytes)?;
        check_chain_ids(spec, &transactions)?;
        Ok(Self {
            sealed,
            transactions,
            size_bytes,
        })
    }

    /// The header with its seal and hash.
    pub fn sealed(&self) -> &SealedHeader {
        &self.sealed
    }

    /// The ledger's header.
    pub fn header(&self) -> &Header {
        &self.sealed.header
    }

    /// Hash of the block, in display order.
    pub fn hash(&self) -> B256 {
        self.sealed.hash
    }

    /// The transactions in the order of execution.
    pub fn transactions(&self) -> &[VerifiedTransaction] {
        &self.transactions
    }

    /// Length of the block's encoding, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The block as it travels.
    pub fn to_block(&self) -> Block {
        let unverified = |transaction: &VerifiedTransaction| Transaction::clone(transaction);
        Block {
            header: self.sealed.header.clone(),
            seal: self.sealed.seal,
            transactions: self.transactions.iter().map(unverified).collect(),
        }
    }

    /// The canonical encoding of the block.
    pub fn encode(&self) -> Vec<u8> {
        block::encode(&self.sealed.header, &self.sealed.seal, &self.transactions)
    }
}

/// Checks what a header and its seal say about themselves.
///
/// # Errors
/// If a rule is broken. The genesis block breaks several: it is never received.
pub fn header(
    spec: &ChainSpec,
    header: &Header,
    seal: &Seal,
) -> Result<SealedHeader, InvalidBlock> {
    let target = check_bits(spec, header.bits)?;
    let hash = block_hash(header, seal);
    // R-SEAL-6: "hash ≤ target(bits)."
    if !target.is_met_by(hash) {
        return Err(InvalidBlock::ProofOfWork {
            hash,
            target: target.value(),
        });
    }
    check_seal(header, seal)?;
    check_header(spec, header)?;
    Ok(SealedHeader {
        header: header.clone(),
        seal: *seal,
        hash,
        target,
    })
}

fn check_bits(spec: &ChainSpec, bits: u32) -> Result<Target, InvalidBlock> {
    // R-DIF-1: "bits stand for a target from 1 to 2^256 − 1."
    let target = Target::from_bits(bits)?;
    // R-DIF-2: "No target is above the target of pow_limit."
    let limit = spec.pow_limit();
    if target > limit {
        return Err(InvalidBlock::BitsAboveLimit {
            limit: limit.to_bits(),
            got: bits,
        });
    }
    Ok(target)
}

fn check_seal(header: &Header, seal: &Seal) -> Result<(), InvalidBlock> {
    // R-SEAL-3: "seal.version & 0xE0001FFF = 0x20000000."
    if seal.version & SEAL_VERSION_MASK != SEAL_VERSION {
        return Err(InvalidBlock::SealVersion {
            expected: SEAL_VERSION,
            got: seal.version,
        });
    }
    // R-SEAL-4: "timestamp ≤ seal.time ≤ timestamp + 600."
    let got = u64::from(seal.time);
    let earliest = header.timestamp;
    let latest = earliest.saturating_add(SEAL_TIME_WINDOW_S);
    if !(earliest..=latest).contains(&got) {
        return Err(InvalidBlock::SealTime {
            earliest,
            latest,
            got,
        });
    }
    Ok(())
}

fn check_header(spec: &ChainSpec, header: &Header) -> Result<(), InvalidBlock> {
    // R-HDR-2: "number < 2^31"; block 0 is the spec's and is not received.
    if header.number == 0 || header.number > MAX_NUMBER {
        return Err(InvalidBlock::NumberRange {
            got: header.number,
            max: MAX_NUMBER,
        });
    }
    // R-HDR-4: "timestamp ≤ 2^32 − 1 − 600."
    if header.timestamp > MAX_TIMESTAMP {
        return Err(InvalidBlock::TimestampRange {
            got: header.timestamp,
            max: MAX_TIMESTAMP,
        });
    }
    // R-HDR-5: "gas_limit is the spec's, in every block."
    if header.gas_limit != spec.gas_limit {
        return Err(InvalidBlock::GasLimit {
            expected: spec.gas_limit,
            got: header.gas_limit,
        });
    }
    // R-HDR-6: "gas_used ≤ gas_limit."
    if header.gas_used > header.gas_limit {
        return Err(InvalidBlock::GasUsedAboveLimit {
            limit: header.gas_limit,
            got: header.gas_used,
        });
    }
    // R-HDR-8: "extra has at most 32 bytes."
    if header.extra.len() > MAX_EXTRA_BYTES {
        return Err(InvalidBlock::ExtraTooLong {
            limit: MAX_EXTRA_BYTES,
            got: header.extra.len(),
        });
    }
    Ok(())
}

/// Checks a block with its body, one signature after the other.
///
/// # Errors
/// [`BlockFault::Mutated`] if the body is not the header's; otherwise the block is invalid.
pub fn block(spec: &ChainSpec, block: Block) -> Result<VerifiedBlock, BlockFault> {
    let verify = |(index, transaction)| {
        VerifiedTransaction::new(transaction, spec.chain_id)
            .map_err(|source| InvalidBlock::Transaction { index, source })
    };
    block_with(spec, block, |transactions| {
        transactions.into_iter().enumerate().map(verify).collect()
    })
}

/// Checks a block with its body; `verify` turns the transactions into verified ones, in the same
/// order, and may do so on many threads or by what it remembers. It is called only once the body is
/// known to be the header's.
///
/// # Errors
/// As [`block`].
///
/// # Panics
/// If `verify` returns other transactions than it was given.
pub fn block_with(
    spec: &ChainSpec,
    block: Block,
    verify: impl FnOnce(Vec<Transaction>) -> Result<Vec<VerifiedTransaction>, InvalidBlock>,
) -> Result<VerifiedBlock, BlockFault> {
    let sealed = header(spec, &block.header, &block.seal)?;
    check_root(&block)?;
    let size_bytes = block.size_bytes();
    check_size(spec, size_bytes)?;
    let hashes: Vec<B256> = block.transactions.iter().map(Transaction::hash).collect();
    let transactions = verify(block.transactions)?;
    assert!(
        hashes
            .iter()
            .copied()
            .eq(transactions.iter().map(|transaction| transaction.hash())),
        "verifying must neither reorder nor replace transactions"
    );
    check_chain_ids(spec, &transactions)?;
    Ok(VerifiedBlock {
        sealed,
        transactions,
        size_bytes,
    })
}

fn check_root(block: &Block) -> Result<(), BlockFault> {
    // R-BLK-1: "transactions_root is the root of the trie of the envelopes"; another body may be.
    let got = transactions_root(&block.transactions);
    let expected = block.header.transactions_root;
    if got != expected {
        return Err(BlockFault::Mutated { expected, got });
    }
    Ok(())
}

fn check_size(spec: &ChainSpec, got: usize) -> Result<(), InvalidBlock> {
    // R-BLK-2: "The encoding of a block has at most max_block_bytes."
    let limit = spec.max_block_bytes;
    if got > limit {
        return Err(InvalidBlock::TooLarge { limit, got });
    }
    Ok(())
}

/// R-BLK-3: "Every transaction obeys the rules R-TX": a verified one does so for the chain that it
/// names.
fn check_chain_ids(
    spec: &ChainSpec,
    transactions: &[VerifiedTransaction],
) -> Result<(), InvalidBlock> {
    let expected = spec.chain_id;
    let of_another = |transaction: &VerifiedTransaction| transaction.chain_id() != expected;
    match transactions.iter().position(of_another) {
        None => Ok(()),
        Some(index) => Err(InvalidBlock::Transaction {
            index,
            source: crate::TransactionError::ChainId {
                expected,
                got: transactions[index].chain_id(),
            },
        }),
    }
}
