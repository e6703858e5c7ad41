//! Hostile bytes: every wire message is damaged in random ways and read again, and the
//! network machine is fed with what strangers may say in any order.
//!
//! `make fuzz` runs many more rounds (`CAIRN_FUZZ_MESSAGES`, `CAIRN_FUZZ_SEED`). `fuzz/` gives
//! the same two to libFuzzer, which sees what code its bytes reach.

mod chain;
mod messages;
mod strangers;

use std::sync::Arc;

use messages::{damage, read_by_all, samples};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strangers::{Given, Strangers};

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

#[test]
fn no_damage_makes_a_decoder_panic_or_accept_a_second_encoding() {
    let (rounds, mut rng) = rounds();
    let samples = samples();
    for sample in &samples {
        assert_eq!(read_by_all(sample), 1, "one decoder reads each sample");
    }
    let mut accepted = 0;
    for _ in 0..rounds {
        let mut bytes = samples[rng.random_range(0..samples.len())].clone();
        damage(&mut rng, &mut bytes);
        accepted += read_by_all(&bytes);
    }
    assert!(
        accepted > 0,
        "no damaged message was ever accepted: the damage is too great"
    );
}

#[test]
fn strangers_can_say_anything_in_any_order() {
    let (rounds, rng) = rounds();
    let mut strangers = Strangers::new(rng, Arc::new(Given::new()));
    for _ in 0..rounds {
        strangers.step();
    }
    assert!(strangers.bans > 0, "nothing that was said was ever a fault");
    let most = strangers.most;
    assert!(most.headers > 0 && most.body_bytes > 0, "{most:?}");
    assert!(most.building > 0 && most.checking > 0, "{most:?}");
}
