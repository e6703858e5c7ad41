//! What happens in one run, drawn from its seed.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::lies::Lie;

/// One run.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Honest nodes.
    pub nodes: usize,
    /// What each liar does.
    pub liars: Vec<Lie>,
    /// Share of the hash rate of each node, liars last; together 1.
    pub shares: Vec<f64>,
    /// Clock of each node against the world's, in milliseconds.
    pub skews_ms: Vec<i64>,
    /// When each node joins, in milliseconds.
    pub joins_ms: Vec<u64>,
    /// Who is connected to whom.
    pub links: Vec<(usize, usize)>,
    /// Messages that get lost, of 1.
    pub loss: f64,
    /// Messages that come twice, of 1.
    pub duplication: f64,
    /// Delay of a message, at least and at most, in milliseconds.
    pub delay_ms: (u64, u64),
    /// Partitions: from when to when, in milliseconds, who is on the one side, and whether
    /// connections break (or just go silent).
    pub partitions: Vec<Partition>,
    /// Crashes: when, in milliseconds, of whom, and after how many more store writes.
    pub crashes: Vec<(u64, usize, u64)>,
    /// Mean time between two users' transactions, in milliseconds.
    pub user_ms: u64,
    /// The longest time that a core takes for blocks, in milliseconds.
    pub block_ms: u64,
    /// Headers that liars make up before they show but a few at a time: each costs all who read
    /// it some microseconds.
    pub flood: u64,
    /// When everything is mended, in milliseconds.
    pub heal_ms: u64,
}

/// A split of the network.
#[derive(Debug, Clone)]
pub struct Partition {
    /// Begin, in milliseconds.
    pub from_ms: u64,
    /// End, in milliseconds.
    pub to_ms: u64,
    /// Those on the one side.
    pub side: Vec<bool>,
    /// Whether connections across break at once.
    pub breaks: bool,
}

impl Scenario {
    /// Nodes in a chain of links, and nothing that goes wrong or is mined.
    pub fn quiet(nodes: usize) -> Self {
        Self {
            nodes,
            liars: Vec::new(),
            shares: vec![0.0; nodes],
            skews_ms: vec![0; nodes],
            joins_ms: vec![0; nodes],
            links: (1..nodes).map(|node| (node, node - 1)).collect(),
            loss: 0.0,
            duplication: 0.0,
            delay_ms: (1, 50),
            partitions: Vec::new(),
            crashes: Vec::new(),
            user_ms: 60_000,
            block_ms: 50,
            flood: 20_000,
            heal_ms: 60_000,
        }
    }

    /// Draws a run.
    pub fn draw(rng: &mut ChaCha8Rng) -> Self {
        let nodes = rng.random_range(2..=6);
        let liars: Vec<Lie> = match rng.random_bool(0.5) {
            true => (0..rng.random_range(1..=2))
                .map(|_| Lie::draw(rng))
                .collect(),
            false => Vec::new(),
        };
        let all = nodes + liars.len();
        let heal_ms = rng.random_range(60_000..150_000);
        let partitions = match rng.random_bool(0.6) {
            true => (0..rng.random_range(1..=2))
                .map(|_| Partition::draw(rng, all, heal_ms))
                .collect(),
            false => Vec::new(),
        };
        let crashes = match rng.random_bool(0.5) {
            true => (0..rng.random_range(1..=4))
                .map(|_| {
                    let at_ms = rng.random_range(5_000..heal_ms);
                    (at_ms, rng.random_range(0..nodes), rng.random_range(0..12))
                })
                .collect(),
            false => Vec::new(),
        };
        Self {
            nodes,
            shares: shares(rng, nodes, &liars),
            skews_ms: (0..all).map(|_| rng.random_range(-6_000..=6_000)).collect(),
            joins_ms: (0..all).map(|node| joins(rng, node, heal_ms)).collect(),
            links: links(rng, all),
            loss: if rng.random_bool(0.5) {
                rng.random_range(0.0..0.2)
            } else {
                0.0
            },
            duplication: if rng.random_bool(0.3) { 0.1 } else { 0.0 },
            delay_ms: match rng.random_range(0..3) {
                0 => (1, 20),
                1 => (10, 300),
                _ => (50, 2_500),
            },
            partitions,
            crashes,
            user_ms: rng.random_range(700..4_000),
            block_ms: match rng.random_range(0..3) {
                0 => 2,
                1 => 60,
                _ => 400,
            },
            flood: 3_000,
            heal_ms,
            liars,
        }
    }
}

impl Partition {
    fn draw(rng: &mut ChaCha8Rng, all: usize, heal_ms: u64) -> Self {
        let from_ms = rng.random_range(2_000..heal_ms - 10_000);
        Self {
            from_ms,
            to_ms: rng.random_range(from_ms + 5_000..=heal_ms),
            side: (0..all).map(|_| rng.random_bool(0.5)).collect(),
            breaks: rng.random_bool(0.5),
        }
    }
}

/// Two miners of any share, or all of the same.
fn shares(rng: &mut ChaCha8Rng, nodes: usize, liars: &[Lie]) -> Vec<f64> {
    let mut shares = vec![0.0; nodes + liars.len()];
    if rng.random_bool(0.5) {
        let first = rng.random_range(0.05..0.95);
        shares[rng.random_range(0..nodes)] += first;
        shares[rng.random_range(0..nodes)] += 1.0 - first;
    } else {
        shares[..nodes].fill(1.0 / nodes as f64);
    }
    // A liar's part comes on top: less than the honest have together.
    for (share, lie) in shares[nodes..].iter_mut().zip(liars) {
        *share = if lie.mines() {
            rng.random_range(0.05..0.3)
        } else {
            0.0
        };
    }
    shares
}

fn joins(rng: &mut ChaCha8Rng, node: usize, heal_ms: u64) -> u64 {
    match node {
        0 => 0,
        _ if rng.random_bool(0.25) => rng.random_range(10_000..heal_ms),
        _ => rng.random_range(0..2_000),
    }
}

/// Each is linked to one before it, and some more: the honest ones never depend on a liar,
/// who come last.
fn links(rng: &mut ChaCha8Rng, all: usize) -> Vec<(usize, usize)> {
    let mut links: Vec<_> = (1..all)
        .map(|node| (node, rng.random_range(0..node)))
        .collect();
    for a in 1..all {
        for b in 0..a {
            if !links.contains(&(a, b)) && rng.random_bool(0.3) {
                links.push((a, b));
            }
        }
    }
    links
}
