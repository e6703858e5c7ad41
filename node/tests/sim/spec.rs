//! The chain of the simulation: real proof of work, but of a few hashes, and a handful of
//! funded accounts.

use alloy_primitives::U256;
use cairn_genesis::{AsertParameters, ChainSpec, Difficulty, GenesisAccount, native_address};
use ed25519_dalek::SigningKey;

/// Seconds between blocks.
pub const SPACING_S: u64 = 4;

/// Accounts with money.
pub const ACCOUNTS: u8 = 8;

/// The key of an account.
pub fn key(index: u8) -> SigningKey {
    SigningKey::from_bytes(&[index + 1; 32])
}

/// The chain.
pub fn spec() -> ChainSpec {
    let mut spec = ChainSpec::builtin("dev").expect("built in").clone();
    spec.name = "sim".into();
    spec.chain_id = 4_242;
    spec.spacing = SPACING_S;
    spec.gas_limit = 1_000_000;
    spec.max_future_drift = Some(15);
    spec.difficulty = Difficulty::Asert(AsertParameters {
        anchor_bits: 0x200f_ffff,
        pow_limit: 0x207f_ffff,
        half_life: 60,
        stall_relief: 120,
        gap_cap: None,
    });
    spec.alloc.retain(|_, account| !account.code.is_empty());
    for index in 0..ACCOUNTS {
        let address = native_address(key(index).verifying_key().as_bytes());
        let account = GenesisAccount {
            balance: U256::from(10).pow(U256::from(20)),
            ..GenesisAccount::default()
        };
        spec.alloc.insert(address, account);
    }
    ChainSpec::from_json(&spec.to_json()).expect("a valid spec")
}
