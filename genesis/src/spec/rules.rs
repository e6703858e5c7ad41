//! What the parameters make of the next block.

use alloy_primitives::U256;

use super::{ChainSpec, Difficulty};
use crate::{asert::AsertAnchor, fee, header::Header, reward};

/// What difficulty needs to know of the parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParentTimes {
    /// Its height.
    pub number: u64,
    /// Its timestamp, in seconds since 1970.
    pub timestamp: u64,
    /// Time skipped up to and including it, in seconds.
    pub skipped: u64,
}

/// Difficulty of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextBits {
    /// Its compact target.
    pub bits: u32,
    /// Time skipped up to and including it, in seconds; to be kept for its children.
    pub skipped: u64,
}

impl ChainSpec {
    /// Bits that the child of a block must have at `timestamp` (R-DIF-3).
    pub fn next_bits(&self, parent: &ParentTimes, timestamp: u64) -> NextBits {
        let parameters = match &self.difficulty {
            Difficulty::Fixed(bits) => {
                return NextBits {
                    bits: *bits,
                    skipped: 0,
                };
            }
            Difficulty::Asert(parameters) => parameters,
        };
        let asert = parameters.algorithm(self.spacing);
        // R-DIF-4: "The anchor is (height 0, genesis.bits, parent time = genesis.timestamp −
        // spacing), so block 1's target is genesis.bits."
        let anchor = AsertAnchor {
            height: 0,
            target: super::checked_target(parameters.anchor_bits),
            parent_time: i128::from(self.genesis_time) - i128::from(self.spacing),
        };
        let target = asert.child_target(&anchor, parent, timestamp);
        let skipped = asert.skipped_by(parent.timestamp, timestamp);
        NextBits {
            bits: target.to_bits(),
            skipped: parent.skipped.saturating_add(skipped),
        }
    }

    /// What block `number` creates for its beneficiary, in wei (R-REW-1).
    pub fn subsidy(&self, number: u64) -> U256 {
        reward::subsidy(self.subsidy, self.halving_interval, number)
    }

    /// Coins of the genesis block, in wei.
    pub fn allocated(&self) -> U256 {
        self.alloc.values().fold(U256::ZERO, |sum, account| {
            sum.saturating_add(account.balance)
        })
    }

    /// Coins that the chain up to block `number` has created, genesis included, in wei (R-REW-3).
    /// What was burned is not taken off.
    pub fn issued(&self, number: u64) -> U256 {
        let mined = reward::subsidies_until(self.subsidy, self.halving_interval, number);
        self.allocated().saturating_add(mined)
    }

    /// Base fee of the child of a block, in wei per gas (R-FEE-1).
    pub fn next_base_fee(&self, parent: &Header) -> u64 {
        // R-FEE-3: "base_fee_start = base_fee_floor = 0 means always 0." EIP-1559 alone would
        // climb from 0 to 1.
        if self.base_fee_start == 0 && self.base_fee_floor == 0 {
            return 0;
        }
        fee::next_base_fee(
            parent.base_fee,
            parent.gas_used,
            parent.gas_limit,
            self.base_fee_floor,
        )
    }
}
