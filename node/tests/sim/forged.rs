//! Blocks that a liar makes up. They hold by all that can be checked before they are executed:
//! only their roots are wrong.

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_genesis::{
    ChainSpec, Header, ParentTimes, Seal, Target, VerifiedTransaction, transactions_root,
};
use cairn_node::chain::HeaderRecord;

use super::lies;

/// What a made-up header says of the state and of the receipts.
const WRONG_ROOT: B256 = B256::repeat_byte(0x66);

/// A made-up block, or the true one that the first of them follows.
#[derive(Debug, Clone)]
pub struct Forgery {
    /// Its hash.
    pub hash: B256,
    /// Its header.
    pub header: Header,
    /// Its proof of work.
    pub seal: Seal,
    /// Work of its chain up to and including it.
    pub work: U256,
    /// Seconds that the difficulty leaves out up to it (R-DIF-5).
    skipped: u64,
}

impl Forgery {
    /// A true block, to build on.
    pub fn base(record: &HeaderRecord) -> Self {
        Self {
            hash: record.hash,
            header: record.header.clone(),
            seal: record.seal,
            work: record.work,
            skipped: record.skipped,
        }
    }

    /// A block on top of this one, with the proof of work that its time asks for.
    pub fn child(
        &self,
        spec: &ChainSpec,
        timestamp: u64,
        transactions: &[VerifiedTransaction],
    ) -> Self {
        let times = ParentTimes {
            number: self.header.number,
            timestamp: self.header.timestamp,
            skipped: self.skipped,
        };
        let next = spec.next_bits(&times, timestamp);
        let header = Header {
            parent_hash: self.hash,
            number: self.header.number + 1,
            timestamp,
            bits: next.bits,
            beneficiary: Address::repeat_byte(0x66),
            state_root: WRONG_ROOT,
            transactions_root: transactions_root(transactions),
            receipts_root: WRONG_ROOT,
            gas_limit: spec.gas_limit,
            gas_used: 0,
            base_fee: spec.next_base_fee(&self.header),
            extra: Bytes::new(),
        };
        let seal = lies::seal(&header);
        let target = Target::from_bits(header.bits).expect("good bits");
        Self {
            hash: cairn_genesis::block_hash(&header, &seal),
            work: self.work + target.work(),
            skipped: next.skipped,
            header,
            seal,
        }
    }

    /// What an answer says of it.
    pub fn pair(&self) -> (Header, Seal) {
        (self.header.clone(), self.seal)
    }
}

/// The chain that a liar makes up.
#[derive(Debug, Default)]
pub struct Forged {
    /// The true block that it begins on.
    pub base: Option<Forgery>,
    /// Its blocks, upward.
    pub blocks: Vec<Forgery>,
}

impl Forged {
    /// What the next block follows.
    pub fn tip(&self) -> Option<&Forgery> {
        self.blocks.last().or(self.base.as_ref())
    }

    /// Where a block stands in it.
    pub fn position(&self, hash: B256) -> Option<usize> {
        self.blocks.iter().position(|block| block.hash == hash)
    }
}
