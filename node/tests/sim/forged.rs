//! Blocks that a liar makes up. They hold by all that can be checked before they are executed:
//! only what execution gives is not what they say.

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_genesis::{
    ChainSpec, Header, NextBits, ParentTimes, Seal, Target, VerifiedBlock, VerifiedTransaction,
    transactions_root,
};
use cairn_node::chain::HeaderRecord;
use cairn_node::network::Announcement;

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
    /// Its transactions; those of a true block the store has.
    transactions: Vec<VerifiedTransaction>,
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
            transactions: Vec::new(),
            work: record.work,
            skipped: record.skipped,
        }
    }

    /// A block on top of this one, with the proof of work that its time asks for.
    pub fn child(
        &self,
        spec: &ChainSpec,
        timestamp: u64,
        transactions: Vec<VerifiedTransaction>,
    ) -> Self {
        let header = Header {
            parent_hash: self.hash,
            number: self.header.number + 1,
            timestamp,
            bits: self.next_bits(spec, timestamp).bits,
            beneficiary: Address::repeat_byte(0x66),
            state_root: WRONG_ROOT,
            transactions_root: transactions_root(&transactions),
            receipts_root: WRONG_ROOT,
            gas_limit: spec.gas_limit,
            gas_used: 0,
            base_fee: spec.next_base_fee(&self.header),
            extra: Bytes::new(),
        };
        let seal = lies::seal(&header);
        self.followed_by(spec, header, seal, transactions)
    }

    /// A block that was mined on this one.
    pub fn mined(&self, spec: &ChainSpec, block: &VerifiedBlock) -> Self {
        let (header, seal) = (block.header().clone(), *block.sealed().seal());
        self.followed_by(spec, header, seal, block.transactions().to_vec())
    }

    fn followed_by(
        &self,
        spec: &ChainSpec,
        header: Header,
        seal: Seal,
        transactions: Vec<VerifiedTransaction>,
    ) -> Self {
        let target = Target::from_bits(header.bits).expect("good bits");
        Self {
            hash: cairn_genesis::block_hash(&header, &seal),
            work: self.work + target.work(),
            skipped: self.next_bits(spec, header.timestamp).skipped,
            header,
            seal,
            transactions,
        }
    }

    fn next_bits(&self, spec: &ChainSpec, timestamp: u64) -> NextBits {
        let times = ParentTimes {
            number: self.header.number,
            timestamp: self.header.timestamp,
            skipped: self.skipped,
        };
        spec.next_bits(&times, timestamp)
    }

    /// What an answer says of it.
    pub fn pair(&self) -> (Header, Seal) {
        (self.header.clone(), self.seal)
    }

    /// How it is announced.
    pub fn announcement(&self) -> Announcement {
        let hashes = self
            .transactions
            .iter()
            .map(|transaction| transaction.hash());
        Announcement::new(self.header.clone(), self.seal, hashes)
    }

    /// The RLP list of its envelopes.
    pub fn body(&self) -> Bytes {
        let transactions = self.transactions.iter();
        let envelopes = transactions.map(|transaction| transaction.envelope().clone());
        alloy_rlp::encode(envelopes.collect::<Vec<Bytes>>()).into()
    }

    /// The envelopes at these places; none if it has not all of them.
    pub fn envelopes(&self, indexes: &[u32]) -> Vec<Bytes> {
        let at = |index: &u32| {
            let transaction = self.transactions.get(usize::try_from(*index).ok()?)?;
            Some(transaction.envelope().clone())
        };
        let envelopes: Option<Vec<_>> = indexes.iter().map(at).collect();
        envelopes.unwrap_or_default()
    }
}

/// The chain that a liar makes up.
#[derive(Debug, Default)]
pub struct Forged {
    /// The true block that it begins on.
    pub base: Option<Forgery>,
    /// Its blocks, upward.
    pub blocks: Vec<Forgery>,
    /// Those of the chains before, which some may still ask for.
    former: Vec<Forgery>,
}

impl Forged {
    /// Begins another chain on a true block.
    pub fn begin(&mut self, base: Forgery) {
        self.base = Some(base);
        self.former.append(&mut self.blocks);
    }

    /// What the next block follows.
    pub fn tip(&self) -> Option<&Forgery> {
        self.blocks.last().or(self.base.as_ref())
    }

    /// Where a block stands in it.
    pub fn position(&self, hash: B256) -> Option<usize> {
        self.blocks.iter().position(|block| block.hash == hash)
    }

    /// A block of it, or of a chain before.
    pub fn find(&self, hash: B256) -> Option<&Forgery> {
        let mut blocks = self.blocks.iter().chain(&self.former);
        blocks.find(|block| block.hash == hash)
    }
}
