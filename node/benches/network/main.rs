//! The network on one machine: how fast a node catches up, how fast a full block makes one
//! hop, and how soon eight nodes have a new head.
//!
//! `cargo bench -p cairn-node --bench network [-- sync|hop|spread]`. All nodes are real ones in
//! this process, over TCP on loopback. Prints. `sync` fails if the node does not get to the other's
//! tip; `hop` and `spread` only measure.

mod client;
#[path = "../support/mining.rs"]
mod mining;
mod nodes;
mod spread;
mod sync;
mod transfers;
mod watch;

/// Prints median, 95th percentile and worst of ascending times.
fn print_times(times: &[std::time::Duration]) {
    let at = |part: f64| times.get(((times.len() as f64 - 1.0) * part) as usize);
    for (name, part) in [("median", 0.5), ("95 %", 0.95), ("worst", 1.0)] {
        let ms = at(part).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3);
        println!("  {name:<8} {ms:>8.1} ms");
    }
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .filter(|arg| !arg.starts_with('-'))
        .skip(1)
        .collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    println!("{cores} cores");
    watch::install();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if wants("sync") {
        runtime.block_on(sync::run());
    }
    if wants("hop") {
        runtime.block_on(sync::hop());
    }
    if wants("spread") {
        runtime.block_on(spread::run());
    }
}
