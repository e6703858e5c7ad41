//! `send`: pay somebody.
//!
//! ```text
//! arguments ──prepare──► Payment ──(user agrees)──► sign ──► node ──wait──► receipt
//!               ▲ node: chain id, nonce, fees, gas, balance
//! ```

mod error;
mod prepare;
mod wait;

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes};
use clap::Args;
use serde_json::{Value, json};

pub use self::error::SendError;
use self::wait::Outcome;
use super::{Context, address_of, parse_hex};
use crate::{
    Failure,
    address::AccountRef,
    amount::{Amount, GasPrice},
    client::{Client, Receipt, RpcError},
    keystore::Account,
    transaction::{Payment, TransactionType},
};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet send 0xADDRESS 1.5                        shows fee and total, asks, waits
  cairn-wallet send savings 20gwei --from main           between accounts of yours
  cairn-wallet send 0xADDRESS 1 --max-fee 30gwei --priority-fee 2gwei
  cairn-wallet send 0xADDRESS 1 --nonce 7 --max-fee 40gwei --priority-fee 3gwei   replaces number 7
  cairn-wallet --json --password-file FILE send 0xADDRESS 1.5 --yes --timeout 60

Prices of gas need their unit. A fee above 1 cairn is only paid if --gas and the price are given.";

/// `send`
///
/// Chain id, nonce, fees and gas come from the node unless given here. The fee and the total are
/// shown before anything is signed. Options that belong to one payment have no environment
/// variables: one that is left over would change the next payment.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SendArguments {
    /// Who gets it: an address, or the name of an account of yours.
    to: AccountRef,
    /// How much: 1.5 or 1.5cairn, 20gwei, 7wei.
    amount: Amount,
    /// Who pays: address or name [default: the only account].
    #[arg(long, value_name = "ACCOUNT", env = "CAIRN_FROM")]
    from: Option<AccountRef>,
    /// Price of gas, with its unit (legacy and 0x01).
    #[arg(long, value_name = "PRICE", conflicts_with_all = ["max_fee", "priority_fee"])]
    gas_price: Option<GasPrice>,
    /// Highest price of gas, with its unit (native and 0x02).
    #[arg(long, value_name = "PRICE")]
    max_fee: Option<GasPrice>,
    /// Part of it that the miner keeps, with its unit (native and 0x02).
    #[arg(long, value_name = "PRICE")]
    priority_fee: Option<GasPrice>,
    /// Most gas to use [default: the node's estimate].
    #[arg(long, value_name = "GAS")]
    gas: Option<u64>,
    /// Number of the transaction; that of one that waits replaces it [default: the next].
    #[arg(long, value_name = "N")]
    nonce: Option<u64>,
    /// Call data in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = parse_hex, default_value = "", hide_default_value = true)]
    data: Bytes,
    /// Type of transaction [default: native for ed25519 accounts, 0x02 for secp256k1].
    #[arg(long, value_name = "TYPE", value_enum)]
    r#type: Option<TransactionType>,
    /// Chain that the node must be on; nothing is sent on any other.
    #[arg(long, value_name = "ID", env = "CAIRN_CHAIN_ID")]
    chain_id: Option<u64>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    /// Do not wait until the payment is mined.
    #[arg(long)]
    no_wait: bool,
    /// How long to wait for that, in seconds.
    #[arg(
        long,
        value_name = "SECS",
        default_value_t = 120,
        env = "CAIRN_TIMEOUT"
    )]
    timeout: u64,
}

/// A payment that the node has taken.
struct Sent<'a> {
    payment: &'a Payment,
    from: Address,
    hash: B256,
}

pub(super) fn run(context: &Context, arguments: &SendArguments) -> Result<(), Failure> {
    let account = context.account(arguments.from.as_ref())?;
    let from = address_of(&account)?;
    let to = context.address(&arguments.to)?;
    let client = context.client()?;
    let plan = prepare::prepare(&client, arguments, account.scheme, from, to)?;
    agree(context, arguments, &account, &plan)?;
    let key = context.open(&account)?;
    let signed = plan.payment.sign(&key).map_err(SendError::from)?;
    drop(key);
    let sent = Sent {
        payment: &plan.payment,
        from,
        hash: signed.hash(),
    };
    hand_over(&client, signed.envelope(), &sent)?;
    report(context, &client, arguments, &sent)
}

/// Shows what will happen, and asks. With `--yes` nobody is asked; with `--json` too, nobody reads.
fn agree(
    context: &Context,
    arguments: &SendArguments,
    account: &Account,
    plan: &prepare::Plan,
) -> Result<(), Failure> {
    let (console, payment) = (&context.console, &plan.payment);
    if !(arguments.yes && console.json) {
        let from = plan.from;
        let name = account
            .name
            .as_ref()
            .map(|name| format!(" ({name})"))
            .unwrap_or_default();
        console.note(format_args!("from    {from}{name}"));
        console.note(format_args!("to      {}", payment.to));
        console.note(format_args!("amount  {}", Amount(payment.value)));
        console.note(format_args!(
            "fee     at most {} ({} gas at up to {})",
            Amount(payment.max_cost()),
            payment.gas_limit,
            GasPrice(payment.max_fee)
        ));
        console.note(format_args!(
            "total   at most {}",
            Amount(payment.max_total())
        ));
        console.note(format_args!(
            "chain   {}, nonce {}, type {}",
            payment.chain_id, payment.nonce, payment.kind
        ));
    }
    if payment.nonce > plan.next_nonce {
        console.note(format_args!(
            "Warning: the next nonce is {}, so the payment waits until those before {} are sent.",
            plan.next_nonce, payment.nonce
        ));
    }
    if payment.max_fee < plan.base_fee {
        console.note(format_args!(
            "Warning: the base fee is {} now, so the payment waits until it falls below your highest fee.",
            GasPrice(plan.base_fee)
        ));
    }
    if !arguments.yes && !console.confirm("Send it?")? {
        return Err(Failure::Declined("nothing was sent"));
    }
    Ok(())
}

/// Gives the envelope to the node.
fn hand_over(client: &Client, envelope: &[u8], sent: &Sent<'_>) -> Result<(), SendError> {
    match client.send_raw_transaction(envelope) {
        Ok(hash) if hash == sent.hash => Ok(()),
        Ok(got) => Err(SendError::OtherHash {
            expected: sent.hash,
            got,
        }),
        // An earlier attempt reached the node, which has this very transaction.
        Err(RpcError::Refused { message, .. })
            if message.to_ascii_lowercase().contains("already known") =>
        {
            Ok(())
        }
        Err(RpcError::Refused { message, .. }) => Err(SendError::refused(message)),
        // Whatever went wrong with the answer, the node may have read the question.
        Err(error) => Err(SendError::Uncertain {
            hash: sent.hash,
            nonce: sent.payment.nonce,
            error,
        }),
    }
}

/// Tells the hash, waits if that is wanted, and tells the end.
fn report(
    context: &Context,
    client: &Client,
    arguments: &SendArguments,
    sent: &Sent<'_>,
) -> Result<(), Failure> {
    let console = &context.console;
    if !console.json {
        console.line(format_args!("Sent: {}", sent.hash))?;
    }
    let outcome = if arguments.no_wait {
        None
    } else {
        let timeout = Duration::from_secs(arguments.timeout);
        Some(wait::wait(console, client, sent, timeout))
    };
    if console.json {
        console.line(format_args!("{:#}", sent_json(sent, outcome.as_ref())))?;
    }
    let Sent { hash, payment, .. } = *sent;
    match outcome {
        None => Ok(()),
        Some(Outcome::Mined(receipt)) if receipt.success => {
            if !console.json {
                let (number, fee) = (receipt.block_number, Amount(receipt.fee()));
                console.line(format_args!("Mined in block {number}; the fee was {fee}."))?;
            }
            Ok(())
        }
        Some(Outcome::Mined(receipt)) => Err(SendError::Failed {
            hash,
            block: receipt.block_number,
            fee: Amount(receipt.fee()),
        }
        .into()),
        Some(Outcome::Replaced) => Err(SendError::Replaced {
            hash,
            nonce: payment.nonce,
        }
        .into()),
        Some(Outcome::Dropped) => Err(SendError::Dropped {
            hash,
            nonce: payment.nonce,
        }
        .into()),
        Some(Outcome::TimedOut { last }) => Err(SendError::TimedOut {
            hash,
            nonce: payment.nonce,
            seconds: arguments.timeout,
            last,
        }
        .into()),
    }
}

fn sent_json(sent: &Sent<'_>, outcome: Option<&Outcome>) -> Value {
    let Sent {
        payment,
        from,
        hash,
    } = sent;
    let status = match outcome {
        None => "sent",
        Some(Outcome::Mined(receipt)) if receipt.success => "success",
        Some(Outcome::Mined(_)) => "failed",
        Some(Outcome::Replaced) => "replaced",
        Some(Outcome::Dropped) => "dropped",
        Some(Outcome::TimedOut { .. }) => "pending",
    };
    let mut json = json!({
        "hash": hash,
        "status": status,
        "from": from.to_string(),
        "to": payment.to.to_string(),
        "value": payment.value.to_string(),
        "type": format!("{:#04x}", payment.kind.number()),
        "chainId": payment.chain_id,
        "nonce": payment.nonce,
        "gasLimit": payment.gas_limit,
        "maxFeePerGas": payment.max_fee.to_string(),
        "maxPriorityFeePerGas": payment.priority_fee.to_string(),
    });
    if let Some(Outcome::Mined(receipt)) = outcome {
        let Receipt {
            block_number,
            block_hash,
            gas_used,
            gas_price,
            ..
        } = *receipt;
        json["blockNumber"] = json!(block_number);
        json["blockHash"] = json!(block_hash);
        json["gasUsed"] = json!(gas_used);
        json["effectiveGasPrice"] = json!(gas_price.to_string());
        json["fee"] = json!(receipt.fee().to_string());
    }
    json
}
