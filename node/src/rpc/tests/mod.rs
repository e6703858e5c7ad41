//! Tests of the methods over a real chain in memory: a core, its mempool and an in-memory store.

mod answers;
mod contracts;
mod docs;
mod fixture;
mod log_limits;
mod logs;
mod pool;
mod refusals;
mod schema;
mod server;
mod state;
mod traces;

/// Verified transfers of one sender with these nonces and this tip in gwei.
pub fn transfers(nonces: &[u64], tip: u128) -> Vec<cairn_genesis::VerifiedTransaction> {
    let transfer = |nonce| {
        fixture::transfer(
            fixture::ALICE,
            nonce,
            9 * fixture::GWEI,
            tip * fixture::GWEI,
        )
    };
    let verified =
        |transaction| cairn_genesis::VerifiedTransaction::new(transaction, fixture::CHAIN_ID);
    nonces
        .iter()
        .map(|nonce| verified(transfer(*nonce)).unwrap())
        .collect()
}

/// A number as JSON has it.
fn quantity(value: &serde_json::Value) -> u64 {
    let text = value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no quantity"));
    let digits = text
        .strip_prefix("0x")
        .unwrap_or_else(|| panic!("{value} has no 0x"));
    u64::from_str_radix(digits, 16).unwrap_or_else(|_| panic!("{value} is no quantity"))
}
