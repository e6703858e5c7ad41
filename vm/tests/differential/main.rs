//! The machine against `revm`: random programs, on which both must agree to the last gas.
//!
//! ```text
//! seed ──► case: world, block, transaction ──┬──► cairn-vm ──┐
//!            ▲                               └──► revm ──────┤ result: same?
//!        generator: a program                                ▼
//!                                       minimize ──► seed, code, both results
//! ```
//!
//! `make fuzz PROGRAMS=… SEED=…` runs the same test for as long as one likes. Compared are validity, status,
//! gas, refund, output, logs and every change of the state; for a part of the programs also every single step.

mod campaign;
mod case;
mod cast;
mod generator;
mod limits;
mod machines;
mod minimize;
mod regressions;
mod result;
mod rng;
mod steps;
mod world;

/// What `make test` runs.
const PROGRAMS: u64 = 200_000;

/// Where it starts.
const SEED: u64 = 0xca19;

#[test]
fn both_machines_agree() {
    let programs = number("CAIRN_FUZZ_PROGRAMS", PROGRAMS);
    let seed = number("CAIRN_FUZZ_SEED", SEED);
    println!("{programs} programs from seed {seed}");
    match campaign::run(seed, programs) {
        Ok(done) => {
            println!("{done:?}");
            assert_eq!(done.programs, programs);
        }
        Err(report) => panic!("{report}"),
    }
}

/// A number from the environment.
fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number")),
        Err(_) => default,
    }
}
