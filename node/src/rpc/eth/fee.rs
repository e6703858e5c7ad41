//! What to pay: gas price, priority fee, and what there was to pay in recent blocks.

use alloy_primitives::{U64, U128, U256};

use crate::chain::{ChainView, HeaderRecord};
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;

/// Blocks that a suggestion looks back on, as geth does.
const SAMPLED_BLOCKS: u64 = 20;
/// The lowest tips of each block count: what was just enough, not what was overpaid.
const SAMPLED_PER_BLOCK: usize = 3;
/// Which of the sampled tips is suggested, in percent from below.
const PERCENTILE: usize = 60;
/// Suggested where nobody paid anything yet: 1 gwei, the default of most tools.
const DEFAULT_TIP: u128 = 1_000_000_000;
/// Never suggest more, whatever was paid: 500 gwei, geth's limit.
const HIGHEST_TIP: u128 = 500_000_000_000;
/// What BLOBBASEFEE gives; there are no blobs.
const BLOB_BASE_FEE: u64 = 1;

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("eth_gasPrice", 0, gas_price);
    registry.heavy("eth_maxPriorityFeePerGas", 0, max_priority_fee);
    registry.read("eth_blobBaseFee", 0, blob_base_fee);
}

fn gas_price(api: &Api, _: &mut Args<'_>) -> Result<U256, RpcError> {
    let view = api.view()?;
    let base_fee = api.node.spec.next_base_fee(&view.tip_record().header);
    Ok(U256::from(base_fee).saturating_add(U256::from(tip(api, &view)?)))
}

fn max_priority_fee(api: &Api, _: &mut Args<'_>) -> Result<U128, RpcError> {
    Ok(U128::from(tip(api, &api.view()?)?))
}

fn blob_base_fee(_: &Api, _: &mut Args<'_>) -> Result<U64, RpcError> {
    Ok(U64::from(BLOB_BASE_FEE))
}

/// The priority fee to suggest at the view's tip, wei per gas. Computed once for each tip.
pub fn tip(api: &Api, view: &ChainView<'_>) -> Result<u128, RpcError> {
    let head = view.tip().hash;
    let mut known = api.suggested_tip.lock();
    if let Some((_, tip)) = known.filter(|(at, _)| *at == head) {
        return Ok(tip);
    }
    let tip = suggest(sample(view)?)
        .unwrap_or_else(|| default_tip(api))
        .min(HIGHEST_TIP);
    *known = Some((head, tip));
    Ok(tip)
}

/// A chain whose gas costs nothing does not start to charge because somebody asked.
fn default_tip(api: &Api) -> u128 {
    let spec = &api.node.spec;
    match spec.base_fee_start.max(spec.base_fee_floor) {
        0 => 0,
        _ => DEFAULT_TIP,
    }
}

fn sample(view: &ChainView<'_>) -> Result<Vec<u128>, RpcError> {
    let mut sampled = Vec::new();
    let mut block = view.tip_record().clone();
    for _ in 0..SAMPLED_BLOCKS {
        sampled.extend(lowest_tips(view, &block)?);
        match view.header(block.header.parent_hash)? {
            Some(parent) => block = parent,
            None => break,
        }
    }
    Ok(sampled)
}

fn lowest_tips(view: &ChainView<'_>, block: &HeaderRecord) -> Result<Vec<u128>, RpcError> {
    if block.tx_count == 0 {
        return Ok(Vec::new());
    }
    let body = view.body(block.hash)?.unwrap_or_default();
    let tips = body
        .iter()
        .filter_map(|transaction| transaction.effective_tip(block.header.base_fee));
    let mut tips: Vec<u128> = tips.collect();
    tips.sort_unstable();
    tips.truncate(SAMPLED_PER_BLOCK);
    Ok(tips)
}

fn suggest(mut tips: Vec<u128>) -> Option<u128> {
    tips.sort_unstable();
    let last = tips.len().checked_sub(1)?;
    tips.get(last.saturating_mul(PERCENTILE) / 100).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_60th_percentile_is_suggested() {
        assert_eq!(suggest(vec![]), None);
        assert_eq!(suggest(vec![7]), Some(7));
        assert_eq!(suggest(vec![50, 10, 40, 20, 30, 60]), Some(40));
        assert_eq!(suggest((0..=100).collect()), Some(60));
    }
}
