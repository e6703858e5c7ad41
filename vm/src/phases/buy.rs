//! Buying gas: the sender pays for the whole gas limit before anything runs.

use crate::{Journal, journal::AccountId};
use alloy_primitives::U256;

/// Takes `gas_limit` × `price` wei from the sender.
pub(crate) fn gas(journal: &mut Journal, sender: AccountId, gas_limit: u64, price: u128) {
    let cost = U256::from(gas_limit).saturating_mul(U256::from(price));
    journal
        .debit(sender, cost)
        .expect("validation found the balance to cover the gas limit at the max fee");
}
