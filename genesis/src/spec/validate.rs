//! What a spec's values must be for the rules to make sense (R-SPEC).

use alloy_eips::eip2935::HISTORY_STORAGE_CODE;
use alloy_primitives::U256;

use super::{AsertParameters, ChainSpec, Difficulty, HISTORY_STORAGE_ADDRESS, SpecError};
use crate::{
    account::GenesisAccount,
    block::MAX_BLOCK_BYTES,
    header::{MAX_NUMBER, MAX_TIMESTAMP},
    pow::Target,
};

/// EIP-2294: `2 × chain_id + 36`, the highest v of a legacy signature, fits 64 bits.
const MAX_CHAIN_ID: u64 = u64::MAX / 2 - 36;
/// A block must at least hold one transfer.
const MIN_GAS_LIMIT: u64 = 21_000;
/// go-ethereum's bound (EIP-1985), so that no tool meets a number that it cannot hold.
const MAX_GAS_LIMIT: u64 = i64::MAX as u64;
/// A block must hold the largest transaction that is relayed (128 KiB) beside its header.
const MIN_BLOCK_BYTES: usize = 256 * 1024;
/// Longest name of a chain, in bytes: it becomes a directory's name.
const MAX_NAME_BYTES: usize = 64;
/// No chain has this name: in the default layout it is the directory of the wallet's keys.
const RESERVED_NAME: &str = "keystore";
/// Rules that this version can switch on at a height. There are none yet.
const KNOWN_ACTIVATIONS: &[&str] = &[];

impl ChainSpec {
    /// Checks the values; [`ChainSpec::from_json`] has done so.
    ///
    /// # Errors
    /// Names the first value that breaks a rule.
    pub fn validate(&self) -> Result<(), SpecError> {
        self.validate_identity()?;
        self.validate_times()?;
        self.validate_difficulty()?;
        self.validate_limits()?;
        self.validate_coins()?;
        self.validate_alloc()
    }

    fn validate_identity(&self) -> Result<(), SpecError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        // R-SPEC-1: "name consists of 1 to 64 of a–z, 0–9 and -, and is not `keystore`."
        require(
            (1..=MAX_NAME_BYTES).contains(&self.name.len()) && self.name.bytes().all(plain),
            "name",
            || format!("it must have 1 to {MAX_NAME_BYTES} characters of a-z, 0-9 and -"),
        )?;
        require(self.name != RESERVED_NAME, "name", || {
            format!("`{RESERVED_NAME}` is where the wallet keeps its keys; choose another name")
        })?;
        // R-SPEC-2: "1 ≤ chain_id ≤ 2^63 − 37."
        require(
            (1..=MAX_CHAIN_ID).contains(&self.chain_id),
            "chain_id",
            || {
                format!(
                    "{} does not lie between 1 and {MAX_CHAIN_ID}",
                    self.chain_id
                )
            },
        )?;
        let unknown = |name: &&String| !KNOWN_ACTIVATIONS.contains(&name.as_str());
        // R-SPEC-11: "Every activation is known to the software."
        match self.activations.keys().find(unknown) {
            None => Ok(()),
            Some(name) => Err(SpecError::Value {
                key: "activations",
                problem: format!("this version knows no rule `{name}`; is there a newer one?"),
            }),
        }
    }

    fn validate_times(&self) -> Result<(), SpecError> {
        // R-SPEC-3: "genesis_time ≤ 2^32 − 1 − 600."
        require(self.genesis_time <= MAX_TIMESTAMP, "genesis_time", || {
            format!("{} is later than {MAX_TIMESTAMP}", self.genesis_time)
        })?;
        // R-SPEC-4: "spacing, half_life and stall_relief lie between 1 and 2^32 − 1,
        // max_future_drift and gap_cap between 0 and 2^32 − 1."
        positive_time("spacing", self.spacing)?;
        bounded_time("max_future_drift", self.max_future_drift.unwrap_or(0))
    }

    fn validate_difficulty(&self) -> Result<(), SpecError> {
        match &self.difficulty {
            Difficulty::Fixed(bits) => canonical_bits("difficulty.fixed", *bits).map(|_| ()),
            Difficulty::Asert(asert) => self.validate_asert(asert),
        }
    }

    fn validate_asert(&self, asert: &AsertParameters) -> Result<(), SpecError> {
        let limit = canonical_bits("difficulty.asert.pow_limit", asert.pow_limit)?;
        let anchor = canonical_bits("difficulty.asert.anchor_bits", asert.anchor_bits)?;
        // R-SPEC-5: "anchor_bits are not easier than pow_limit."
        require(anchor <= limit, "difficulty.asert.anchor_bits", || {
            format!("{:08x} is easier than pow_limit", asert.anchor_bits)
        })?;
        positive_time("difficulty.asert.half_life", asert.half_life)?;
        // R-SPEC-6: "gap_cap ≥ spacing": a smaller one would skip time that passed as planned.
        require(
            asert.gap_cap() >= self.spacing,
            "difficulty.asert.gap_cap",
            || format!("{} is less than the spacing", asert.gap_cap()),
        )?;
        bounded_time("difficulty.asert.gap_cap", asert.gap_cap())?;
        self.validate_stall_relief(asert.stall_relief)
    }

    fn validate_stall_relief(&self, stall_relief: u64) -> Result<(), SpecError> {
        let Some(drift) = self.max_future_drift else {
            return Err(SpecError::Value {
                key: "max_future_drift",
                problem: "with `asert` it must be a number: timestamps without a bound would let \
                          anyone claim stall relief"
                    .to_owned(),
            });
        };
        // R-SPEC-7: "stall_relief ≥ 2 × max_future_drift + 20 × spacing": timestamps of the future
        // and ordinary bad luck must not earn an easier target.
        let least = 2 * drift + 20 * self.spacing;
        let key = "difficulty.asert.stall_relief";
        require(stall_relief >= least, key, || {
            format!("{stall_relief} is less than {least} (2 × max_future_drift + 20 × spacing)")
        })?;
        bounded_time(key, stall_relief)
    }

    fn validate_limits(&self) -> Result<(), SpecError> {
        let gas_limits = MIN_GAS_LIMIT..=MAX_GAS_LIMIT;
        // R-SPEC-8: "21,000 ≤ gas_limit < 2^63."
        require(gas_limits.contains(&self.gas_limit), "gas_limit", || {
            let gas_limit = self.gas_limit;
            format!("{gas_limit} does not lie between {MIN_GAS_LIMIT} and {MAX_GAS_LIMIT}")
        })?;
        let sizes = MIN_BLOCK_BYTES..=MAX_BLOCK_BYTES;
        // R-SPEC-9: "256 KiB ≤ max_block_bytes ≤ 8 MiB."
        require(
            sizes.contains(&self.max_block_bytes),
            "max_block_bytes",
            || {
                let got = self.max_block_bytes;
                format!("{got} does not lie between {MIN_BLOCK_BYTES} and {MAX_BLOCK_BYTES}")
            },
        )
    }

    fn validate_coins(&self) -> Result<(), SpecError> {
        // R-SPEC-12: "base_fee_floor ≤ base_fee_start."
        require(
            self.base_fee_floor <= self.base_fee_start,
            "base_fee_floor",
            || format!("{} is above base_fee_start", self.base_fee_floor),
        )?;
        // R-SPEC-10: "The balances of alloc and 2^31 − 1 subsidies sum to less than 2^256": no
        // balance can ever overflow.
        let mined = self.subsidy.checked_mul(U256::from(MAX_NUMBER));
        let total = self
            .alloc
            .values()
            .try_fold(mined.unwrap_or(U256::MAX), |sum, account| {
                sum.checked_add(account.balance)
            });
        require(mined.is_some() && total.is_some(), "alloc", || {
            "its balances and 2^31 − 1 subsidies sum to 2^256 or more".to_owned()
        })
    }

    fn validate_alloc(&self) -> Result<(), SpecError> {
        let empty = |account: &GenesisAccount| {
            account.nonce == 0 && account.balance.is_zero() && account.code.is_empty()
        };
        // R-SPEC-13: "No account of alloc is empty" (EIP-161).
        let found = self.alloc.iter().find(|(_, account)| empty(account));
        if let Some((address, _)) = found {
            return Err(SpecError::Value {
                key: "alloc",
                problem: format!("{address} has neither balance, nonce nor code"),
            });
        }
        // R-SPEC-14: "alloc holds EIP-2935's contract at its address, with its code, nonce 1 and
        // no storage."
        let contract = self.alloc.get(&HISTORY_STORAGE_ADDRESS);
        let official = |account: &GenesisAccount| {
            account.code == HISTORY_STORAGE_CODE && account.nonce == 1 && account.storage.is_empty()
        };
        require(contract.is_some_and(official), "alloc", || {
            format!(
                "{HISTORY_STORAGE_ADDRESS} must be EIP-2935's contract: nonce 1, code \
                 {HISTORY_STORAGE_CODE}, no storage"
            )
        })
    }
}

/// R-SPEC-5: "Bits are in the compact form of their target."
fn canonical_bits(key: &'static str, bits: u32) -> Result<Target, SpecError> {
    let target = Target::from_bits(bits).map_err(|error| SpecError::Value {
        key,
        problem: error.to_string(),
    })?;
    require(target.to_bits() == bits, key, || {
        format!("write {bits:08x} as {:08x}", target.to_bits())
    })?;
    Ok(target)
}

fn positive_time(key: &'static str, seconds: u64) -> Result<(), SpecError> {
    require(seconds > 0, key, || {
        "it must be at least 1 second".to_owned()
    })?;
    bounded_time(key, seconds)
}

fn bounded_time(key: &'static str, seconds: u64) -> Result<(), SpecError> {
    require(seconds <= u64::from(u32::MAX), key, || {
        format!("{seconds} seconds are more than {}", u32::MAX)
    })
}

fn require(
    holds: bool,
    key: &'static str,
    problem: impl FnOnce() -> String,
) -> Result<(), SpecError> {
    if holds {
        return Ok(());
    }
    Err(SpecError::Value {
        key,
        problem: problem(),
    })
}
