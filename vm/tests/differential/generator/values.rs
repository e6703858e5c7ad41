//! Operands at which arithmetic, memory and gas have their edges.

use alloy_primitives::{Address, U256};

use crate::{
    cast::{ABSENT, CONTRACTS, DELEGATED, MINER, PLAIN, SENDER},
    rng::Rng,
};

/// A word: often one at an edge, else bits of any length.
pub fn word(rng: &mut Rng) -> U256 {
    match rng.below(12) {
        0..=2 => U256::from(rng.below(4)),
        3 => U256::from(rng.pick(&[
            8, 15, 16, 30, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 257,
        ])),
        4 => {
            let bit: usize = rng.pick(&[7, 8, 31, 32, 63, 64, 65, 127, 128, 191, 192, 254, 255]);
            let edge: U256 = U256::ONE << bit;
            edge.wrapping_add(U256::from(rng.below(3)))
                .wrapping_sub(U256::ONE)
        }
        5 => U256::MAX.wrapping_sub(U256::from(rng.below(4))),
        6 => U256::from(rng.next()),
        7 => U256::ZERO.wrapping_sub(U256::from(rng.next())),
        8 => of(address(rng)),
        9 => bits(rng) << rng.below(256),
        _ => bits(rng) >> rng.below(256),
    }
}

fn bits(rng: &mut Rng) -> U256 {
    U256::from_limbs(std::array::from_fn(|_| rng.next()))
}

/// An address as a word.
pub fn of(address: Address) -> U256 {
    address.into_word().into()
}

/// Somebody's address.
pub fn address(rng: &mut Rng) -> Address {
    match rng.below(16) {
        0..=6 => rng.pick(&CONTRACTS),
        7 | 8 => rng.pick(&PLAIN),
        9 | 10 => rng.pick(&ABSENT),
        11 | 12 => rng.pick(&DELEGATED),
        13 => SENDER,
        14 => MINER,
        _ => Address::with_last_byte(rng.below(0x14) as u8),
    }
}

/// Where in memory; `None` far beyond what gas pays for is rare.
pub fn offset(rng: &mut Rng) -> U256 {
    match rng.below(500) {
        0 => U256::from(rng.pick(&[
            1 << 20,
            1 << 32,
            (1 << 32) - 31,
            u64::MAX,
            u64::MAX - 31,
            1 << 63,
        ])),
        1 => rng.pick(&[U256::MAX, U256::ONE << 64, U256::MAX >> 1]),
        2..=3 => U256::from(rng.below(100_000)),
        4..=20 => U256::from(rng.below(5_000)),
        21..=250 => U256::from(rng.pick(&[0, 0, 0, 1, 31, 32, 33, 64, 96, 128, 224, 480])),
        _ => U256::from(rng.below(512)),
    }
}

/// How many bytes of memory.
pub fn len(rng: &mut Rng) -> U256 {
    match rng.below(500) {
        0 => U256::from(rng.pick(&[1 << 20, 1 << 32, u64::MAX, u64::MAX - 31])),
        1 => rng.pick(&[U256::MAX, U256::ONE << 64]),
        2..=3 => U256::from(rng.below(50_000)),
        4..=12 => U256::from(rng.below(5_000)),
        13..=300 => U256::from(rng.pick(&[0, 0, 1, 31, 32, 32, 33, 64, 64, 65, 96, 128])),
        _ => U256::from(rng.below(200)),
    }
}

/// A storage slot: few, so that programs come back to them.
pub fn slot(rng: &mut Rng) -> U256 {
    match rng.below(40) {
        0 => word(rng),
        1 => U256::from(64 * rng.below(4)),
        _ => U256::from(rng.below(6)),
    }
}

/// What goes into a slot: often zero, or what it was.
pub fn slot_value(rng: &mut Rng) -> U256 {
    match rng.below(8) {
        0..=2 => U256::ZERO,
        3..=6 => U256::from(rng.between(1, 3)),
        _ => word(rng),
    }
}

/// Wei: mostly none.
pub fn wei(rng: &mut Rng) -> U256 {
    match rng.below(20) {
        0..=14 => U256::ZERO,
        15..=17 => U256::ONE,
        18 => U256::from(rng.below(2_000)),
        _ => word(rng),
    }
}

/// Gas for a call.
pub fn gas(rng: &mut Rng) -> U256 {
    match rng.below(16) {
        0 => U256::ZERO,
        1 | 2 => U256::from(rng.pick(&[
            1, 2, 3, 15, 100, 700, 2_100, 2_300, 2_301, 2_600, 5_000, 9_000,
        ])),
        3..=6 => U256::from(rng.below(5_000)),
        7..=12 => U256::from(rng.below(40_000)),
        13 => U256::from(u64::MAX - rng.below(2) as u64),
        14 => word(rng),
        _ => U256::MAX,
    }
}
