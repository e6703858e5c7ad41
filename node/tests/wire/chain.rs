//! A chain that the strangers have and the node has not.

use std::sync::Arc;

use alloy_primitives::{Address, Bytes, U256};
use cairn_genesis::{
    AsertParameters, ChainSpec, Difficulty, GenesisAccount, SEAL_VERSION, Seal, Transaction,
    VerifiedBlock, VerifiedTransaction,
};
use cairn_node::chain::{HeaderRecord, Template, TemplateRequest};
use cairn_node::core::{Action, Answer, Core, Event, Now};
use cairn_node::network::Announcement;
use cairn_node::store::{Memory, Store};

use super::messages::payment;

/// Blocks above genesis, with a payment in each.
const BLOCKS: u64 = 8;

/// The blocks.
pub struct Chain {
    pub store: Arc<Memory>,
    pub tip: Arc<HeaderRecord>,
    /// How each was announced.
    pub news: Vec<Vec<u8>>,
}

/// The rules: those of `devnet`, with proof of work that half of all hashes are.
pub fn spec() -> ChainSpec {
    const EASIEST: u32 = 0x207f_ffff;
    let mut spec = ChainSpec::builtin("devnet").expect("built in").clone();
    spec.difficulty = Difficulty::Asert(AsertParameters {
        anchor_bits: EASIEST,
        pow_limit: EASIEST,
        half_life: 60,
        stall_relief: 120,
        gap_cap: None,
    });
    let account = GenesisAccount {
        balance: U256::from(10).pow(U256::from(20)),
        ..GenesisAccount::default()
    };
    spec.alloc.insert(paid(&spec, 0).sender(), account);
    ChainSpec::from_json(&spec.to_json()).expect("a valid spec")
}

fn paid(spec: &ChainSpec, nonce: u64) -> VerifiedTransaction {
    let transaction = Transaction::decode(&payment(nonce)).expect("a transaction");
    VerifiedTransaction::new(transaction, spec.chain_id).expect("it is signed")
}

impl Chain {
    pub fn mine(spec: &Arc<ChainSpec>) -> Self {
        let store = Arc::new(Memory::default());
        let dynamic: Arc<dyn Store> = store.clone();
        let mut now = Now {
            ms: spec.genesis_time * 1000,
        };
        let (mut core, _) = Core::open(dynamic, Arc::clone(spec), now).expect("genesis");
        let mut news = Vec::new();
        for nonce in 0..BLOCKS {
            now.ms += spec.spacing * 1000;
            let payment = paid(spec, nonce);
            let hash = payment.hash();
            let mut tell = |event| core.handle(now, event).expect("the store works");
            tell(Event::Transaction(payment));
            let template = template(tell(Event::Template(TemplateRequest {
                now_s: now.s(),
                beneficiary: Address::repeat_byte(1),
                extra: Bytes::new(),
            })));
            tell(Event::Block(Box::new(seal(spec, &template))));
            let tip = core.tip();
            assert_eq!((tip.number(), tip.tx_count), (nonce + 1, 1));
            let hashes = std::iter::once(hash);
            news.push(Announcement::new(tip.header.clone(), tip.seal, hashes).encode());
        }
        Self {
            store,
            tip: Arc::clone(core.tip()),
            news,
        }
    }
}

fn template(actions: Vec<Action>) -> Template {
    let mut templates = actions.into_iter().filter_map(|action| match action {
        Action::Answer(Answer::Template(template)) => template.ok(),
        _ => None,
    });
    *templates.next().expect("a template")
}

fn seal(spec: &ChainSpec, template: &Template) -> VerifiedBlock {
    let seal = |nonce| Seal {
        version: SEAL_VERSION,
        time: u32::try_from(template.header.timestamp).expect("before 2106"),
        nonce,
        extranonce: [0; 12],
    };
    (0..)
        .find_map(|nonce| template.seal(spec, seal(nonce)).ok())
        .expect("an easy target is met soon")
}
