//! Hostile bytes: every wire message is damaged in random ways and read again, and the
//! network machine is fed with what strangers may say in any order.
//!
//! `make fuzz` runs many more rounds (`CAIRN_FUZZ_MESSAGES`, `CAIRN_FUZZ_SEED`).

mod machine;
mod messages;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Rounds of an ordinary test run.
const ROUNDS: u64 = 100_000;

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}"))
    })
}

/// Rounds to run, and the randomness for them; the seed is printed.
fn rounds() -> (u64, ChaCha8Rng) {
    let seed = from_env("CAIRN_FUZZ_SEED", 1);
    let rounds = from_env("CAIRN_FUZZ_MESSAGES", ROUNDS);
    println!("{rounds} rounds, CAIRN_FUZZ_SEED={seed}");
    (rounds, ChaCha8Rng::seed_from_u64(seed))
}
