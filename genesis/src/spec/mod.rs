//! Chain specs: the parameters of a chain, read from JSON.
//!
//! ```text
//! JSON ──format──► ChainSpec ──validate──► usable       unknown keys are refused by name
//!                                  │
//!                     genesis_block(), next_bits(), subsidy(), next_base_fee()
//! ```
//!
//! The genesis block's `extra` is the digest of every field that consensus depends on, so that two
//! nodes with the same genesis hash play by the same rules. Name, boot nodes and activations are not
//! part of it: those may differ between nodes of one chain.
//!
//! The built-in chains lie in `genesis/chains/*.json`.

mod builtin;
mod error;
mod format;
mod genesis;
mod rules;
mod validate;

use std::collections::BTreeMap;

use alloy_primitives::{Address, U256};
use serde::{Deserialize, Serialize};

use crate::{account::GenesisAccount, asert::Asert, pow::Target};

pub use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
pub use error::SpecError;
pub use rules::{NextBits, ParentTimes};

/// How many parent hashes the history contract keeps (EIP-2935).
pub const HISTORY_SERVE_WINDOW: u64 = alloy_eips::eip2935::HISTORY_SERVE_WINDOW as u64;

/// `gap_cap`, if the spec does not say, in half-lives.
const DEFAULT_GAP_CAP_HALF_LIVES: u64 = 4;

/// The parameters of a chain. Times are in seconds, amounts in wei (10^18 wei are one coin).
///
/// One that was not read by [`ChainSpec::from_json`] must pass [`ChainSpec::validate`] before use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainSpec {
    /// What people call the chain; no part of the rules.
    pub name: String,
    /// Named by every transaction, so that none can be replayed on another chain.
    pub chain_id: u64,
    /// Timestamp of the genesis block, in seconds since 1970.
    pub genesis_time: u64,
    /// Intended time between blocks.
    pub spacing: u64,
    /// How the target of a block is found.
    pub difficulty: Difficulty,
    /// What the first blocks create, in wei.
    #[serde(with = "format::wei")]
    pub subsidy: U256,
    /// Number of blocks after which the subsidy halves; 0: never.
    pub halving_interval: u64,
    /// Gas limit of every block.
    pub gas_limit: u64,
    /// Base fee of the genesis block, in wei per gas.
    pub base_fee_start: u64,
    /// Lowest base fee, in wei per gas. With a start and a floor of 0 it is always 0.
    pub base_fee_floor: u64,
    /// How far a block may be ahead of a node's clock; `null`: without bound.
    #[serde(deserialize_with = "Option::deserialize")]
    pub max_future_drift: Option<u64>,
    /// Longest encoding of a block, in bytes.
    pub max_block_bytes: usize,
    /// The accounts of the genesis block, in geth's format.
    #[serde(with = "format::alloc")]
    pub alloc: BTreeMap<Address, GenesisAccount>,
    /// Where to find the first peers (multiaddresses); no part of the rules.
    #[serde(default)]
    pub boot_nodes: Vec<String>,
    /// Heights from which later rules apply, by the rules' names; not part of the genesis hash.
    #[serde(default)]
    pub activations: BTreeMap<String, u64>,
}

/// How the target of a block is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difficulty {
    /// The same bits in every block.
    Fixed(#[serde(with = "format::bits")] u32),
    /// ASERT with gap cap and stall relief.
    Asert(AsertParameters),
}

/// The parameters of ASERT in a spec.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AsertParameters {
    /// Bits of the genesis block, and so of block 1.
    #[serde(with = "format::bits")]
    pub anchor_bits: u32,
    /// Bits of the easiest target.
    #[serde(with = "format::bits")]
    pub pow_limit: u32,
    /// How far behind schedule the target doubles.
    pub half_life: u64,
    /// Time without a block after which targets grow.
    pub stall_relief: u64,
    /// Longest pause that counts in full; four half-lives if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_cap: Option<u64>,
}

impl AsertParameters {
    /// Longest pause that counts in full.
    pub fn gap_cap(&self) -> u64 {
        let default = self.half_life.saturating_mul(DEFAULT_GAP_CAP_HALF_LIVES);
        self.gap_cap.unwrap_or(default)
    }

    fn algorithm(&self, spacing: u64) -> Asert {
        Asert {
            pow_limit: checked_target(self.pow_limit),
            spacing,
            half_life: self.half_life,
            stall_relief: self.stall_relief,
            gap_cap: self.gap_cap(),
        }
    }
}

impl ChainSpec {
    /// Reads and validates a spec.
    ///
    /// # Errors
    /// If it is not JSON, has an unknown key, lacks one, or a value breaks a rule.
    pub fn from_json(json: &str) -> Result<Self, SpecError> {
        let spec: Self = serde_json::from_str(json)?;
        spec.validate()?;
        Ok(spec)
    }

    /// The spec as JSON that [`ChainSpec::from_json`] reads back.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self)
            .expect("every key is a string and every value a string, number, list or map");
        json.push('\n');
        json
    }

    /// The easiest target that a block may have.
    pub fn pow_limit(&self) -> Target {
        match &self.difficulty {
            Difficulty::Fixed(bits) => checked_target(*bits),
            Difficulty::Asert(asert) => checked_target(asert.pow_limit),
        }
    }

    /// Bits of the genesis block.
    pub fn genesis_bits(&self) -> u32 {
        match &self.difficulty {
            Difficulty::Fixed(bits) => *bits,
            Difficulty::Asert(asert) => asert.anchor_bits,
        }
    }
}

/// The target of bits of a spec.
fn checked_target(bits: u32) -> Target {
    Target::from_bits(bits).expect("the bits of a spec are checked when it is read")
}
