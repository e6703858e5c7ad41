//! A whole network in one thread, from one seed.
//!
//! ```text
//! seed ─► scenario (who, how connected, what goes wrong when)
//!           │
//!           ▼
//!       world: one queue of events in virtual time
//!           ├─ node   the real core and network machine over an in-memory store that can fail
//!           ├─ work   what the core has to do, one thing after the other, each in its time
//!           ├─ liar   a node that makes things up, and whose words to others are twisted
//!           └─ wire   encodes and decodes every message; delays, loses, repeats, partitions
//!           │
//!           ▼
//!       checks: bounds after every step; how fast news is once nothing goes wrong any more; one
//!               head, exact supply, re-executed roots at the end
//! ```
//!
//! `make sim SEEDS=10000` runs many seeds, `CAIRN_SIM_SEED=N CAIRN_SIM_SEEDS=1` one of them
//! again: same seed and commit, same history, to the byte.

mod checks;
mod forged;
mod liar;
mod lies;
mod node;
mod progress;
mod scenario;
mod spec;
mod summary;
mod traffic;
mod users;
mod wire;
mod work;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use lies::Lie;
use summary::Summary;
use world::World;

/// Seeds of an ordinary test run.
const SEEDS: u64 = 200;

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}"))
    })
}

fn commit() -> String {
    let git = std::process::Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .output();
    let text = git.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}

/// Runs one seed; on failure says how to run it again.
fn run(seed: u64) -> Option<Summary> {
    let result = catch_unwind(AssertUnwindSafe(|| World::new(seed).run()));
    if result.is_err() {
        eprintln!(
            "seed {seed} failed at commit {}; run it again with\n  CAIRN_SIM_SEED={seed} CAIRN_SIM_SEEDS=1 cargo test --release -p cairn-node --test sim every -- --nocapture",
            commit()
        );
    }
    result.ok()
}

/// `RUST_LOG=debug` shows what the nodes say, for one seed.
fn log() {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    // Another test of this run may have begun it.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .without_time()
        .try_init();
}

#[test]
fn every_seed_ends_with_one_chain() {
    log();
    let first = from_env("CAIRN_SIM_SEED", 0);
    let count = from_env("CAIRN_SIM_SEEDS", SEEDS);
    let next = AtomicU64::new(first);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let failed = AtomicU64::new(0);
    let total = Mutex::new(Summary::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return;
            }
            match run(seed) {
                Some(summary) => *total.lock().expect("no panic while held") += summary,
                None => drop(failed.fetch_add(1, Ordering::Relaxed)),
            }
        }
    };
    std::thread::scope(|scope| {
        (0..threads).for_each(|_| drop(scope.spawn(work)));
    });
    let total = total.into_inner().expect("no panic while held");
    let failed = failed.into_inner();
    assert_eq!(failed, 0, "{failed} of {count} seeds failed: see above");
    println!("{count} seeds from {first}: {total}");
    // A simulation in which nothing happens would prove nothing.
    if count >= SEEDS {
        total.assert_eventful();
    }
}

#[test]
fn a_seed_is_one_history() {
    for seed in [1, 7] {
        assert_eq!(World::new(seed).run(), World::new(seed).run());
    }
}

/// The lighter of the two has more blocks to undo than headers fit its window, so that it must
/// read the heavier one's twice: first for their work, then for themselves.
#[test]
fn a_branch_longer_than_the_header_window_wins() {
    let window = cairn_node::network::limits::HEADER_WINDOW as u64;
    let (light, heavy) = (window + 300, window + 900);
    let summary = World::meeting([light, heavy]).run();
    assert!(summary.blocks >= heavy, "{summary}");
    assert_eq!(summary.deepest as u64, light, "{summary}");
}

/// A chain of headers that is longer than the window and lighter than the true one is read to its
/// end, and its sender pays for what it claims.
#[test]
fn a_flood_of_headers_longer_than_the_window_ends_in_a_ban() {
    let summary = World::flooded(27_000).run();
    let window = cairn_node::network::limits::HEADER_WINDOW;
    assert!(summary.longest > window, "{summary}");
    let bans = summary.bans.get(&Lie::FloodsHeaders);
    assert_eq!(bans, Some(&2), "{summary}");
}
