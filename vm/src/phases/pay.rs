//! Paying: what was not used goes back to the sender, the priority fee to the beneficiary. The base fee
//! goes to nobody.

use super::refund::GasBill;
use crate::{BlockEnv, Journal, State, journal::AccountId};
use alloy_primitives::U256;

/// Gives back the price of the gas that was bought but not used.
pub(crate) fn sender(
    journal: &mut Journal,
    sender: AccountId,
    gas_limit: u64,
    bill: &GasBill,
    price: u128,
) {
    pay(journal, sender, gas_limit.saturating_sub(bill.used), price);
}

/// EIP-1559: "miner only receives the priority fee; note that the base fee is not given to anyone (it is
/// burned)". The beneficiary is touched even if the fee is zero (EIP-161).
pub(crate) fn beneficiary<S>(
    journal: &mut Journal,
    state: &S,
    block: &BlockEnv,
    bill: &GasBill,
    price: u128,
) -> Result<(), S::Error>
where
    S: State + ?Sized,
{
    let beneficiary = journal.load(state, block.beneficiary)?;
    pay(
        journal,
        beneficiary,
        bill.used,
        price.saturating_sub(u128::from(block.base_fee)),
    );
    Ok(())
}

/// Credits gas × price. A balance that would overflow stays as it is: all coins together are far fewer
/// than 2^256, so this takes a made-up state.
fn pay(journal: &mut Journal, to: AccountId, gas: u64, price: u128) {
    let wei = U256::from(gas).saturating_mul(U256::from(price));
    let _ = journal.credit(to, wei);
}
