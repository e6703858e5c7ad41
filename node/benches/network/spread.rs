//! How soon all of eight nodes have a new head.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use cairn_node::mining::Mode;

use super::nodes::Running;
use super::{client, transfers};

const NODES: usize = 8;

/// All together mine with about a tenth of a core.
const MINE_PERCENT: u8 = 1;

const PER_S: u64 = 100;
const WARM_UP: Duration = Duration::from_secs(40);
const MEASURED: Duration = Duration::from_secs(60);

/// When each node, by its index, had a block as its tip for the first time. It can have it again
/// after a reorganization.
type Sightings = Arc<Mutex<HashMap<B256, BTreeMap<usize, Instant>>>>;

/// Measures and prints.
pub async fn run() {
    let keys = transfers::keys();
    let spec = transfers::spec("devnet", &keys);
    let home = tempfile::tempdir().expect("a temporary directory");
    let mut nodes: Vec<Running> = Vec::new();
    for index in 0..NODES {
        // Each knows two before it: a chain of acquaintances, as it comes about.
        let peers: Vec<_> = nodes
            .iter()
            .rev()
            .take(2)
            .map(|node| node.address.clone())
            .collect();
        let datadir = home.path().join(index.to_string());
        let mode = (Mode::Continuous, MINE_PERCENT);
        nodes.push(Running::start(&spec, &datadir, &peers, mode).await);
    }
    client::connected(&nodes.iter().collect::<Vec<_>>()).await;
    let load = tokio::spawn(load(
        nodes.iter().map(|node| node.rpc.clone()).collect(),
        keys.into_iter()
            .flat_map(|key| [0, 1].map(|nonce| transfers::transfer(&spec, &key, nonce)))
            .collect(),
    ));
    tokio::time::sleep(WARM_UP).await;
    let sightings = Sightings::default();
    let watchers: Vec<_> = nodes
        .iter()
        .enumerate()
        .map(|(index, node)| tokio::spawn(watch(index, node.head.clone(), Arc::clone(&sightings))))
        .collect();
    tokio::time::sleep(MEASURED).await;
    watchers.iter().for_each(tokio::task::JoinHandle::abort);
    load.abort();
    report(&sightings);
    for node in nodes {
        node.stop().await;
    }
}

async fn watch(node: usize, mut head: tokio::sync::watch::Receiver<B256>, sightings: Sightings) {
    while head.changed().await.is_ok() {
        let hash = *head.borrow_and_update();
        let now = Instant::now();
        let mut sightings = sightings.lock().expect("no panic");
        let seen = sightings.entry(hash).or_default();
        seen.entry(node).or_insert(now);
    }
}

async fn load(urls: Vec<String>, transactions: Vec<cairn_genesis::VerifiedTransaction>) {
    let mut tick = tokio::time::interval(Duration::from_millis(1000 / PER_S));
    for (index, transaction) in transactions.into_iter().enumerate() {
        tick.tick().await;
        client::submit(&urls[index % urls.len()], vec![transaction]).await;
    }
}

/// For each block that all nodes have had as their tip: how much later than the first.
fn report(sightings: &Sightings) {
    let sightings = sightings.lock().expect("no panic");
    let everywhere = sightings.values().filter(|times| times.len() == NODES);
    let mut last = Vec::new();
    let mut each = Vec::new();
    for times in everywhere {
        let first = times.values().min().expect("eight");
        let mut delays: Vec<_> = times.values().map(|time| *time - *first).collect();
        delays.sort();
        last.push(delays[NODES - 1]);
        each.extend(delays.into_iter().skip(1));
    }
    last.sort();
    each.sort();
    println!(
        "\nspread: {NODES} nodes, {} blocks in {} s ({} reached all), {PER_S} transactions/s",
        sightings.len(),
        MEASURED.as_secs(),
        last.len()
    );
    println!(" until a node has the new head:");
    super::print_times(&each);
    println!(" until the last node has it:");
    super::print_times(&last);
}
