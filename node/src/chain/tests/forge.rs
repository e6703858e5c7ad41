//! Real blocks on any block: the forge keeps the store as it was after each that it
//! made, and lets a core on a copy of it fill the template of the next.

use std::collections::HashMap;
use std::sync::Arc;

use alloy_primitives::{B256, Bytes};
use cairn_genesis::{
    ChainSpec, Header, ParentTimes, SEAL_VERSION, Seal, Target, VerifiedBlock, VerifiedTransaction,
    block_hash, transactions_root,
};

use super::people::{self, MINER};
use crate::chain::{Accepted, HeaderRecord, Template, TemplateRequest, view};
use crate::core::{Action, Answer, Core, Event, Now};
use crate::store::Memory;

/// Makes blocks.
pub(crate) struct Forge {
    pub(crate) spec: Arc<ChainSpec>,
    pub(crate) genesis: B256,
    after: HashMap<B256, Memory>,
    made: u64,
}

impl Forge {
    /// On the chain of [`people::spec`].
    pub(crate) fn new() -> Self {
        Self::on(people::spec())
    }

    /// On this chain.
    pub(crate) fn on(spec: ChainSpec) -> Self {
        spec.validate().unwrap();
        let spec = Arc::new(spec);
        let genesis = spec.genesis_hash();
        let mut forge = Self {
            spec,
            genesis,
            after: HashMap::from([(genesis, Memory::default())]),
            made: 0,
        };
        let (_, store) = forge.core(genesis);
        forge.after.insert(genesis, store.copy());
        forge
    }

    /// The store after a block of the forge.
    pub(crate) fn store(&self, block: B256) -> &Memory {
        &self.after[&block]
    }

    /// What the store after a block of the forge says of it.
    pub(crate) fn record(&self, block: B256) -> HeaderRecord {
        view::tip(self.store(block)).unwrap().unwrap()
    }

    /// What the next block is made for: in time, and unlike every other block.
    pub(crate) fn request(&mut self, parent: B256) -> TemplateRequest {
        self.made += 1;
        TemplateRequest {
            now_s: self.record(parent).header.timestamp + self.spec.spacing,
            beneficiary: MINER,
            extra: Bytes::copy_from_slice(&self.made.to_be_bytes()),
        }
    }

    /// A template on `parent` with exactly these transactions.
    pub(crate) fn template(
        &self,
        parent: B256,
        transactions: &[VerifiedTransaction],
        request: TemplateRequest,
    ) -> Template {
        let (mut core, _) = self.core(parent);
        let now = at(request.now_s);
        for transaction in transactions {
            let event = Event::Transaction(transaction.clone());
            match answer(core.handle(now, event).unwrap()) {
                Answer::Transaction(Ok(())) => {}
                other => panic!("the pool does not take a transaction: {other:?}"),
            }
        }
        match answer(core.handle(now, Event::Template(request)).unwrap()) {
            Answer::Template(Ok(template)) => {
                assert_eq!(template.transactions.len(), transactions.len());
                *template
            }
            other => panic!("no template: {other:?}"),
        }
    }

    /// A valid block on `parent`.
    pub(crate) fn block(
        &mut self,
        parent: B256,
        transactions: &[VerifiedTransaction],
    ) -> VerifiedBlock {
        let request = self.request(parent);
        self.block_for(parent, transactions, request)
    }

    /// A valid block on `parent` as `request` wants it.
    pub(crate) fn block_for(
        &mut self,
        parent: B256,
        transactions: &[VerifiedTransaction],
        request: TemplateRequest,
    ) -> VerifiedBlock {
        let now = at(request.now_s);
        let template = self.template(parent, transactions, request);
        let block = self.seal(template.header, template.transactions);
        let (mut core, store) = self.core(parent);
        match answer(
            core.handle(now, Event::Block(Box::new(block.clone())))
                .unwrap(),
        ) {
            Answer::Block(Ok(Accepted::Best)) => {}
            other => panic!("the forge's block is refused: {other:?}"),
        }
        self.after.insert(block.hash(), store.copy());
        block
    }

    /// `length` valid blocks on `parent`, one on the other.
    pub(crate) fn branch(&mut self, parent: B256, length: usize) -> Vec<VerifiedBlock> {
        let mut parent = parent;
        let mut blocks = Vec::with_capacity(length);
        for _ in 0..length {
            let block = self.block(parent, &[]);
            parent = block.hash();
            blocks.push(block);
        }
        blocks
    }

    /// A block on `parent` that claims what `change` makes of a valid header.
    pub(crate) fn liar(
        &mut self,
        parent: B256,
        transactions: &[VerifiedTransaction],
        change: impl FnOnce(&mut Header),
    ) -> VerifiedBlock {
        let request = self.request(parent);
        let template = self.template(parent, transactions, request);
        let mut header = template.header;
        change(&mut header);
        self.seal(header, template.transactions)
    }

    /// A child of a block after which nobody knows the state: it claims its parent's.
    pub(crate) fn blind_child(&mut self, parent: &VerifiedBlock) -> VerifiedBlock {
        self.made += 1;
        let above = parent.header();
        let timestamp = above.timestamp + self.spec.spacing;
        let times = ParentTimes {
            number: above.number,
            timestamp: above.timestamp,
            skipped: 0,
        };
        let header = Header {
            parent_hash: parent.hash(),
            number: above.number + 1,
            timestamp,
            bits: self.spec.next_bits(&times, timestamp).bits,
            base_fee: self.spec.next_base_fee(above),
            gas_used: 0,
            extra: Bytes::copy_from_slice(&self.made.to_be_bytes()),
            ..above.clone()
        };
        self.seal(header, Vec::new())
    }

    /// The proof of work for a header with these transactions.
    pub(crate) fn seal(
        &self,
        mut header: Header,
        transactions: Vec<VerifiedTransaction>,
    ) -> VerifiedBlock {
        header.transactions_root = transactions_root(&transactions);
        let seal = mine(&header);
        VerifiedBlock::seal(&self.spec, header, seal, transactions).unwrap()
    }

    fn core(&self, block: B256) -> (Core, Arc<Memory>) {
        let store = Arc::new(self.after[&block].copy());
        let spec = Arc::clone(&self.spec);
        let (core, _) = Core::open(store.clone(), spec, at(0)).unwrap();
        (core, store)
    }
}

/// A seal that meets the header's target.
pub(crate) fn mine(header: &Header) -> Seal {
    let target = Target::from_bits(header.bits).unwrap();
    let seal = |nonce| Seal {
        version: SEAL_VERSION,
        time: u32::try_from(header.timestamp).unwrap(),
        nonce,
        extranonce: [0; 12],
    };
    let mut seals = (0..).map(seal);
    seals
        .find(|seal| target.is_met_by(block_hash(header, seal)))
        .unwrap()
}

/// A time in whole seconds.
pub(crate) fn at(now_s: u64) -> Now {
    Now { ms: now_s * 1000 }
}

/// The answer among the actions.
pub(crate) fn answer(actions: Vec<Action>) -> Answer {
    let mut answers = actions.into_iter().filter_map(|action| match action {
        Action::Answer(answer) => Some(answer),
        Action::Pool { .. } | Action::Moved(_) => None,
    });
    answers.next().unwrap()
}

/// The hashes of blocks.
pub(crate) fn hashes(blocks: &[VerifiedBlock]) -> Vec<B256> {
    blocks.iter().map(VerifiedBlock::hash).collect()
}
