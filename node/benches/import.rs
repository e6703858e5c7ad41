//! Import of blocks full of transfers over a million funded accounts, from bytes to
//! committed, with the database on disk; and the time for a block template.
//!
//! `cargo bench -p cairn-node --bench import [-- ACCOUNTS]`. Prints; asserts only
//! that every block was taken in.

#[path = "support/mining.rs"]
mod mining;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256, keccak256};
use cairn_genesis::{
    ChainSpec, GenesisAccount, NativeTransaction, Transaction, VerifiedTransaction, native_address,
};
use cairn_node::chain::import::import;
use cairn_node::chain::{Chain, TemplateRequest};
use cairn_node::core::{Answer, Core, Event, Now};
use cairn_node::store::{Memory, Rocks, Store};
use ed25519_dalek::{Signer, SigningKey};
use rayon::prelude::*;
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use mining::{answer, seal};

const BLOCKS: usize = 24;
const TRANSFERS_PER_BLOCK: usize = 5_000;
const SENDERS: usize = 20_000;
const CHAIN_ID: u64 = 7_777;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Native,
    Secp256k1,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Native => "native (ed25519)",
            Self::Secp256k1 => "secp256k1 (0x02)",
        }
    }
}

fn main() {
    let accounts = std::env::args()
        .filter_map(|argument| argument.parse().ok())
        .next()
        .unwrap_or(1_000_000);
    let spans = Spans::default();
    let subscriber = tracing_subscriber::registry().with(spans.clone());
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    println!(
        "{BLOCKS} blocks of {TRANSFERS_PER_BLOCK} transfers over {accounts} funded accounts, {} cores",
        std::thread::available_parallelism().map_or(1, |n| n.get())
    );
    for kind in [Kind::Native, Kind::Secp256k1] {
        run(kind, accounts, &spans);
    }
}

fn run(kind: Kind, accounts: usize, spans: &Spans) {
    let keys: Vec<Key> = (0..SENDERS)
        .into_par_iter()
        .map(|i| Key::new(kind, i))
        .collect();
    let spec = Arc::new(spec(&keys, accounts));
    let recipients: Vec<Address> = spec.alloc.keys().copied().collect();

    let (blocks, template) = produce(&spec, &keys, &recipients);
    let bytes: usize = blocks.iter().map(Vec::len).sum();

    let directory = tempfile::tempdir().expect("a temporary directory");
    let store: Arc<dyn Store> =
        Arc::new(Rocks::open(directory.path(), spec.genesis_hash()).expect("a new database"));
    let mut chain = Chain::open(store, Arc::clone(&spec)).expect("genesis");
    spans.reset();
    let begin = Instant::now();
    let imported = import(&mut chain, u64::from(u32::MAX), blocks, |_| {}).expect("valid blocks");
    let elapsed = begin.elapsed();
    assert_eq!(imported, BLOCKS as u64);

    let transfers = (BLOCKS * TRANSFERS_PER_BLOCK) as f64;
    println!(
        "\n{}: {:.0} transfers/s ({:.2} s for {transfers} transfers, {:.1} MB)",
        kind.name(),
        transfers / elapsed.as_secs_f64(),
        elapsed.as_secs_f64(),
        bytes as f64 / 1e6
    );
    for (name, time) in spans.take() {
        println!(
            "  {name:<8} {:>7.1} µs of one thread per transfer",
            time.as_secs_f64() * 1e6 / transfers
        );
    }
    println!(
        "  template with {TRANSFERS_PER_BLOCK} pending: median {:.1} ms",
        template.as_secs_f64() * 1e3
    );
}

/// Mines the blocks on a chain of its own; also the median time for a template.
fn produce(
    spec: &Arc<ChainSpec>,
    keys: &[Key],
    recipients: &[Address],
) -> (Vec<Vec<u8>>, Duration) {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let mut now = Now {
        ms: spec.genesis_time * 1000,
    };
    let (mut core, _) = Core::open(store, Arc::clone(spec), now).expect("genesis");
    let mut blocks = Vec::new();
    let mut times = Vec::new();
    for number in 0..BLOCKS {
        now.ms += 2_000;
        let transactions: Vec<_> = (0..TRANSFERS_PER_BLOCK)
            .into_par_iter()
            .map(|i| {
                let index = number * TRANSFERS_PER_BLOCK + i;
                let to = recipients[(index * 7_919 + 13) % recipients.len()];
                keys[index % keys.len()].transfer((index / keys.len()) as u64, to)
            })
            .collect();
        for transaction in transactions {
            let actions = core
                .handle(now, Event::Transaction(transaction))
                .expect("the store works");
            assert!(matches!(answer(actions), Answer::Transaction(Ok(()))));
        }
        let request = TemplateRequest {
            now_s: now.s(),
            beneficiary: recipients[0],
            extra: Bytes::new(),
        };
        let begin = Instant::now();
        let actions = core
            .handle(now, Event::Template(request))
            .expect("the store works");
        times.push(begin.elapsed());
        let Answer::Template(Ok(template)) = answer(actions) else {
            panic!("no template");
        };
        assert_eq!(template.transactions.len(), TRANSFERS_PER_BLOCK);
        let block = seal(spec, &template);
        blocks.push(block.encode());
        let actions = core
            .handle(now, Event::Block(Box::new(block)))
            .expect("the store works");
        assert!(matches!(answer(actions), Answer::Block(Ok(_))));
    }
    times.sort();
    (blocks, times[times.len() / 2])
}

fn spec(keys: &[Key], accounts: usize) -> ChainSpec {
    let mut spec = ChainSpec::builtin("dev").expect("built in").clone();
    spec.name = "bench".into();
    spec.chain_id = CHAIN_ID;
    spec.gas_limit = 200_000_000;
    spec.alloc.retain(|_, account| !account.code.is_empty());
    let funded = GenesisAccount {
        balance: U256::from(10).pow(U256::from(21)),
        ..GenesisAccount::default()
    };
    let others = (0..accounts.saturating_sub(keys.len()))
        .map(|i| Address::from_word(keccak256(i.to_be_bytes())));
    let all = keys.iter().map(Key::address).chain(others);
    spec.alloc
        .extend(all.map(|address| (address, funded.clone())));
    spec
}

enum Key {
    Native(Box<SigningKey>),
    Secp256k1(SecretKey, Address),
}

impl Key {
    fn new(kind: Kind, index: usize) -> Self {
        let seed = keccak256([b"seed".as_slice(), &index.to_be_bytes()].concat());
        match kind {
            Kind::Native => Self::Native(Box::new(SigningKey::from_bytes(&seed.0))),
            Kind::Secp256k1 => {
                let key = SecretKey::from_byte_array(seed.0).expect("a scalar");
                let public = PublicKey::from_secret_key(SECP256K1, &key).serialize_uncompressed();
                Self::Secp256k1(key, Address::from_raw_public_key(&public[1..]))
            }
        }
    }

    fn address(&self) -> Address {
        match self {
            Self::Native(key) => native_address(key.verifying_key().as_bytes()),
            Self::Secp256k1(_, address) => *address,
        }
    }

    fn transfer(&self, nonce: u64, to: Address) -> VerifiedTransaction {
        let fee = 3_000_000_000;
        let transaction = match self {
            Self::Native(key) => {
                let body = NativeTransaction {
                    chain_id: CHAIN_ID,
                    nonce,
                    max_priority_fee: 1,
                    max_fee: fee,
                    gas_limit: 21_000,
                    to: TxKind::Call(to),
                    value: U256::from(1),
                    input: Bytes::new(),
                    access_list: Default::default(),
                    public_key: *key.verifying_key().as_bytes(),
                };
                let signature = key.sign(body.signing_hash().as_slice()).to_bytes();
                Transaction::native(body, signature)
            }
            Self::Secp256k1(key, _) => {
                let body = TxEip1559 {
                    chain_id: CHAIN_ID,
                    nonce,
                    gas_limit: 21_000,
                    max_fee_per_gas: fee,
                    max_priority_fee_per_gas: 1,
                    to: TxKind::Call(to),
                    value: U256::from(1),
                    ..TxEip1559::default()
                };
                let message = Message::from_digest(body.signature_hash().0);
                let (id, bytes) = SECP256K1
                    .sign_ecdsa_recoverable(message, key)
                    .serialize_compact();
                let odd = i32::from(id) & 1 == 1;
                let signature = Signature::from_bytes_and_parity(&bytes, odd);
                Transaction::ethereum(body, signature).expect("signed for a chain id")
            }
        };
        VerifiedTransaction::new(transaction, CHAIN_ID).expect("a valid signature")
    }
}

/// Sums the time that each span is entered.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<HashMap<&'static str, Duration>>>);

struct Entered(Instant);

impl Spans {
    fn reset(&self) {
        self.0.lock().expect("no panic").clear();
    }

    fn take(&self) -> Vec<(&'static str, Duration)> {
        let mut all: Vec<_> = self.0.lock().expect("no panic").drain().collect();
        all.sort();
        all
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> tracing_subscriber::Layer<S> for Spans {
    fn on_enter(&self, id: &tracing::span::Id, context: Context<'_, S>) {
        let span = context.span(id).expect("an entered span exists");
        span.extensions_mut().replace(Entered(Instant::now()));
    }

    fn on_exit(&self, id: &tracing::span::Id, context: Context<'_, S>) {
        let span = context.span(id).expect("an exited span exists");
        let extensions = span.extensions();
        let Entered(begin) = extensions.get::<Entered>().expect("it was entered");
        let mut times = self.0.lock().expect("no panic");
        *times.entry(span.name()).or_default() += begin.elapsed();
    }
}
