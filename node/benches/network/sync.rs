//! Catching up over the network against importing the same bytes, and one hop of a full block.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_genesis::{ChainSpec, VerifiedBlock};
use cairn_node::chain::Chain;
use cairn_node::chain::import::import;
use cairn_node::store::{Rocks, Store};

use cairn_node::mining::Mode;

use super::client;
use super::nodes::{IDLE, Running};
use super::transfers::{self, SENDERS};
use super::watch;

const BLOCKS: u64 = 80;

/// Imports, syncs, and prints both.
pub async fn run() {
    let keys = transfers::keys();
    let spec = transfers::spec("dev", &keys);
    let blocks = transfers::blocks(&spec, &keys, BLOCKS);
    let head = transfers::head(&blocks);
    let home = tempfile::tempdir().expect("a temporary directory");

    let imported = import_into(&spec, &home.path().join("source"), &blocks);
    let mut source = Running::start(&spec, &home.path().join("source"), &[], IDLE).await;
    source.reaches(head).await;
    let begin = Instant::now();
    let peers = [source.address.clone()];
    let mut follower = Running::start(&spec, &home.path().join("follower"), &peers, IDLE).await;
    follower.reaches(head).await;
    let synced = begin.elapsed();
    follower.stop().await;
    source.stop().await;

    let transfers = (BLOCKS as usize * SENDERS) as f64;
    let line = |name: &str, time: Duration| {
        println!(
            "  {name:<24} {:>8.0} transfers/s",
            transfers / time.as_secs_f64()
        );
    };
    println!("\nsync: {BLOCKS} blocks of {SENDERS} transfers");
    line("import from memory", imported);
    line("sync from one peer", synced);
    println!(
        "  sync / import            {:>8.2}",
        imported.as_secs_f64() / synced.as_secs_f64()
    );
}

fn import_into(spec: &Arc<ChainSpec>, datadir: &Path, blocks: &[VerifiedBlock]) -> Duration {
    let store: Arc<dyn Store> =
        Arc::new(Rocks::open(datadir, spec.genesis_hash()).expect("a new database"));
    let mut chain = Chain::open(store, Arc::clone(spec)).expect("genesis");
    let bytes: Vec<_> = blocks.iter().map(VerifiedBlock::encode).collect();
    let begin = Instant::now();
    import(&mut chain, u64::from(u32::MAX), bytes, |_| {}).expect("valid blocks");
    begin.elapsed()
}

/// A miner and a follower whose pools agree: full blocks, from announcement to being passed
/// on.
pub async fn hop() {
    const ROUNDS: u64 = 8;
    let every = Duration::from_secs(6);
    let keys = transfers::keys();
    let spec = transfers::spec("dev", &keys);
    let home = tempfile::tempdir().expect("a temporary directory");
    let mode = (Mode::Interval(every), 100);
    let miner = Running::start(&spec, &home.path().join("miner"), &[], mode).await;
    let peers = [miner.address.clone()];
    let follower = Running::start(&spec, &home.path().join("follower"), &peers, IDLE).await;
    client::connected(&[&miner, &follower]).await;
    watch::reset();
    for nonce in 0..ROUNDS {
        let round = keys
            .iter()
            .map(|key| transfers::transfer(&spec, key, nonce));
        client::submit(&miner.rpc, round.collect()).await;
        client::empties(&miner.rpc).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let hops = watch::hops(SENDERS / 2);
    println!(
        "\nhop: {} blocks of {} transfers or more",
        hops.len(),
        SENDERS / 2
    );
    super::print_times(&hops);
    follower.stop().await;
    miner.stop().await;
}
