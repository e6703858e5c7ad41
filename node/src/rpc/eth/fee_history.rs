//! `eth_feeHistory`: what recent blocks charged and what was paid in them.

use alloy_primitives::U64;
use alloy_rpc_types_eth::{BlockNumberOrTag, FeeHistory, TxGasAndReward};
use serde::Deserialize;

use super::lookup;
use crate::chain::{ChainView, HeaderRecord};
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;

/// Most blocks in one answer, as geth has it.
const MOST_BLOCKS: u64 = 1024;
/// Most blocks when rewards are asked for: each of those is decoded as a whole.
const MOST_BLOCKS_WITH_REWARDS: u64 = 256;
/// Most percentiles in one request, as geth has it.
const MOST_PERCENTILES: usize = 100;

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("eth_feeHistory", 3, fee_history);
}

/// A count as hex, which the specification says, or as a JSON number, which forge sends.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u64),
    Hex(U64),
}

impl Count {
    fn get(self) -> u64 {
        match self {
            Self::Number(count) => count,
            Self::Hex(count) => count.to(),
        }
    }
}

/// Fewer blocks than asked for come back where the chain is shorter, or the limits lower.
fn fee_history(api: &Api, args: &mut Args<'_>) -> Result<FeeHistory, RpcError> {
    let count: Count = args.required("block count")?;
    let newest: BlockNumberOrTag = args.required("newest block")?;
    let percentiles: Vec<f64> = args.optional("reward percentiles")?.unwrap_or_default();
    check_percentiles(&percentiles)?;
    let view = api.view()?;
    let newest = lookup::canonical_height(&view, newest.into())?;
    let most = if percentiles.is_empty() {
        MOST_BLOCKS
    } else {
        MOST_BLOCKS_WITH_REWARDS
    };
    let count = count.get().min(most).min(newest.saturating_add(1));
    if count == 0 {
        return Err(RpcError::params(
            "parameter 1 (block count): must be at least 1",
        ));
    }
    let blocks = last_blocks(&view, newest, count)?;
    assemble(api, &view, &blocks, &percentiles)
}

/// Percentiles are 0 to 100 and ascending, else a wallet's three suggestions would mix.
fn check_percentiles(percentiles: &[f64]) -> Result<(), RpcError> {
    if percentiles.len() > MOST_PERCENTILES {
        return Err(RpcError::params(format!(
            "parameter 3 (reward percentiles): got {}, at most {MOST_PERCENTILES} are taken",
            percentiles.len()
        )));
    }
    let in_range = percentiles
        .iter()
        .all(|percentile| (0.0..=100.0).contains(percentile));
    if in_range && percentiles.is_sorted() {
        return Ok(());
    }
    Err(RpcError::params(
        "parameter 3 (reward percentiles): each must be 0 to 100, in ascending order",
    ))
}

/// `count` blocks of the best chain up to `newest`, oldest first.
fn last_blocks(
    view: &ChainView<'_>,
    newest: u64,
    count: u64,
) -> Result<Vec<HeaderRecord>, RpcError> {
    let oldest = newest.saturating_sub(count.saturating_sub(1));
    let block = |number| {
        let found = lookup::by_number(view, number)?;
        found.ok_or_else(|| RpcError::Internal(format!("block {number} is missing below the tip")))
    };
    (oldest..=newest).map(block).collect()
}

fn assemble(
    api: &Api,
    view: &ChainView<'_>,
    blocks: &[HeaderRecord],
    percentiles: &[f64],
) -> Result<FeeHistory, RpcError> {
    let mut history = FeeHistory {
        oldest_block: blocks.first().map_or(0, HeaderRecord::number),
        base_fee_per_gas: blocks
            .iter()
            .map(|block| u128::from(block.header.base_fee))
            .collect(),
        gas_used_ratio: blocks.iter().map(gas_used_ratio).collect(),
        base_fee_per_blob_gas: vec![1; blocks.len().saturating_add(1)],
        blob_gas_used_ratio: vec![0.0; blocks.len()],
        reward: None,
    };
    let next = blocks
        .last()
        .map_or(0, |newest| api.node.spec.next_base_fee(&newest.header));
    history.base_fee_per_gas.push(u128::from(next));
    if !percentiles.is_empty() {
        let rewards = blocks
            .iter()
            .map(|block| block_rewards(view, block, percentiles));
        history.reward = Some(rewards.collect::<Result<_, _>>()?);
    }
    Ok(history)
}

/// Between 0 and 1, and always a number: a chain without gas has used none of it. Counts of
/// gas are far below 2^53, where `f64` begins to round.
fn gas_used_ratio(block: &HeaderRecord) -> f64 {
    ratio(block.header.gas_used, block.header.gas_limit)
}

fn ratio(used: u64, limit: u64) -> f64 {
    match limit {
        0 => 0.0,
        _ => used as f64 / limit as f64,
    }
}

fn block_rewards(
    view: &ChainView<'_>,
    block: &HeaderRecord,
    percentiles: &[f64],
) -> Result<Vec<u128>, RpcError> {
    if block.tx_count == 0 {
        return Ok(vec![0; percentiles.len()]);
    }
    let transactions = view.body(block.hash)?.unwrap_or_default();
    let receipts = view.receipts(block.hash)?.unwrap_or_default();
    let mut before = 0;
    let paid = transactions
        .iter()
        .zip(&receipts)
        .map(|(transaction, record)| {
            let cumulative = record.receipt.cumulative_gas_used;
            let gas_used = cumulative.saturating_sub(before);
            before = cumulative;
            let reward = transaction
                .effective_tip(block.header.base_fee)
                .unwrap_or(0);
            TxGasAndReward { gas_used, reward }
        });
    Ok(rewards(paid.collect(), block.header.gas_used, percentiles))
}

/// For each percentile (ascending) the tip of the transaction at which that share of the
/// block's gas is reached, the transactions sorted by tip.
fn rewards(mut paid: Vec<TxGasAndReward>, gas_used: u64, percentiles: &[f64]) -> Vec<u128> {
    paid.sort_unstable();
    let mut paid = paid.into_iter();
    let mut current = paid.next();
    let mut reached = current.map_or(0, |first| first.gas_used);
    let mut at = |percentile: &f64| {
        let threshold = gas_used as f64 * percentile / 100.0;
        while (reached as f64) < threshold {
            let Some(next) = paid.next() else {
                break;
            };
            reached = reached.saturating_add(next.gas_used);
            current = Some(next);
        }
        current.map_or(0, |transaction| transaction.reward)
    };
    percentiles.iter().map(&mut at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(list: &[(u64, u128)]) -> Vec<TxGasAndReward> {
        let list = list.iter();
        list.map(|&(gas_used, reward)| TxGasAndReward { gas_used, reward })
            .collect()
    }

    #[test]
    fn rewards_are_weighted_by_gas() {
        let block = paid(&[(21_000, 5), (79_000, 2)]);
        let rewards = rewards(block, 100_000, &[0.0, 50.0, 79.0, 79.5, 100.0]);
        assert_eq!(rewards, [2, 2, 2, 5, 5]);
    }

    #[test]
    fn one_transaction_is_every_percentile() {
        assert_eq!(
            rewards(paid(&[(21_000, 9)]), 21_000, &[0.0, 99.9, 100.0]),
            [9, 9, 9]
        );
    }

    #[test]
    fn an_empty_block_rewards_nothing() {
        assert_eq!(rewards(vec![], 0, &[10.0, 90.0]), [0, 0]);
    }

    #[test]
    fn ratios_are_numbers() {
        assert_eq!(ratio(0, 0), 0.0);
        assert_eq!(ratio(15_000_000, 30_000_000), 0.5);
        assert_eq!(ratio(30_000_000, 30_000_000), 1.0);
    }

    #[test]
    fn percentiles_must_ascend_from_0_to_100() {
        assert!(check_percentiles(&[]).is_ok());
        assert!(check_percentiles(&[0.0, 50.0, 50.0, 100.0]).is_ok());
        assert!(check_percentiles(&[50.0, 10.0]).is_err());
        assert!(check_percentiles(&[-0.1]).is_err());
        assert!(check_percentiles(&[100.1]).is_err());
        assert!(check_percentiles(&[f64::NAN]).is_err());
        assert!(check_percentiles(&[1.0; MOST_PERCENTILES + 1]).is_err());
    }

    #[test]
    fn counts_are_hex_or_integers() {
        let count = |json: &str| serde_json::from_str::<Count>(json).map(Count::get);
        assert_eq!(count("\"0xa\"").unwrap(), 10);
        assert_eq!(count("10").unwrap(), 10);
        assert!(count("-1").is_err());
        assert!(count("\"ten\"").is_err());
    }
}
