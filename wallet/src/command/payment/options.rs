//! The options that every transaction takes.

use clap::Args;

use crate::{address::AccountRef, amount::GasPrice, cli::number, transaction::TransactionType};

/// Who pays, how much for gas, and whether to ask and wait. Options that belong to one payment
/// have no environment variables: one that is left over would change the next payment.
#[derive(Debug, Args)]
pub struct PaymentOptions {
    /// Who pays: address or name [default: the only account].
    #[arg(long, value_name = "ACCOUNT", env = "CAIRN_FROM")]
    pub(super) from: Option<AccountRef>,
    /// Price of gas, with its unit (legacy and 0x01).
    #[arg(long, value_name = "PRICE", conflicts_with_all = ["max_fee", "priority_fee"])]
    pub(super) gas_price: Option<GasPrice>,
    /// Highest price of gas, with its unit (native and 0x02).
    #[arg(long, value_name = "PRICE")]
    pub(super) max_fee: Option<GasPrice>,
    /// Part of it that the miner keeps, with its unit (native and 0x02).
    #[arg(long, value_name = "PRICE")]
    pub(super) priority_fee: Option<GasPrice>,
    /// Most gas to use [default: the node's estimate].
    #[arg(long, value_name = "GAS", value_parser = number::<u64>(0, u64::MAX))]
    pub(super) gas: Option<u64>,
    /// Number of the transaction; that of one that waits replaces it [default: the next].
    #[arg(long, value_name = "N", value_parser = number::<u64>(0, u64::MAX))]
    pub(super) nonce: Option<u64>,
    /// Type of transaction [default: native for ed25519 accounts, 0x02 for secp256k1].
    #[arg(long, value_name = "TYPE", value_enum)]
    pub(super) r#type: Option<TransactionType>,
    /// Chain that the node must be on; nothing is sent on any other.
    #[arg(long, value_name = "ID", env = "CAIRN_CHAIN_ID", value_parser = number::<u64>(0, u64::MAX))]
    pub(super) chain_id: Option<u64>,
    /// Do not ask.
    #[arg(long)]
    pub(super) yes: bool,
    /// Do not wait until the transaction is mined.
    #[arg(long)]
    pub(super) no_wait: bool,
    /// How long to wait for that, in seconds.
    #[arg(
        long,
        value_name = "SECS",
        default_value_t = 120,
        env = "CAIRN_TIMEOUT",
        value_parser = number::<u64>(0, u64::MAX)
    )]
    pub(super) timeout: u64,
}
