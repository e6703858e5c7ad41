//! `balance`: what accounts have.

use alloy_primitives::{Address, U256};
use clap::Args;
use serde_json::{Value, json};

use super::{Context, address_of};
use crate::{Failure, address::AccountRef, amount::Amount, client::Tag};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet balance                        every account of yours
  cairn-wallet balance main 0xADDRESS         these
  cairn-wallet balance main --block 100       as it was after block 100";

/// `balance`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BalanceArguments {
    /// Addresses or names [default: every account of the keystore].
    #[arg(value_name = "ACCOUNT")]
    accounts: Vec<AccountRef>,
    /// The block after which to look: a number, latest, pending or earliest.
    #[arg(long, value_name = "N", default_value = "latest")]
    block: Tag,
}

/// An account, what to call it, and what it has.
struct Row {
    name: Option<String>,
    address: Address,
    balance: U256,
}

pub(super) fn run(context: &Context, arguments: &BalanceArguments) -> Result<(), Failure> {
    let (names, addresses): (Vec<_>, Vec<_>) =
        wanted(context, &arguments.accounts)?.into_iter().unzip();
    if addresses.is_empty() && !context.console.json {
        context.console.note(
            "There are no accounts yet; make one with `cairn-wallet new` or name an address.",
        );
        return Ok(());
    }
    let balances = context.client()?.balances(&addresses, arguments.block)?;
    let rows: Vec<Row> = names
        .into_iter()
        .zip(addresses)
        .zip(balances)
        .map(|((name, address), balance)| Row {
            name,
            address,
            balance,
        })
        .collect();
    if context.console.json {
        let all: Vec<Value> = rows.iter().map(row_json).collect();
        return Ok(context
            .console
            .line(format_args!("{:#}", Value::Array(all)))?);
    }
    let width = rows
        .iter()
        .filter_map(|row| row.name.as_ref())
        .map(String::len)
        .max()
        .unwrap_or_default();
    for Row {
        name,
        address,
        balance,
    } in &rows
    {
        let name = name.as_deref().unwrap_or_default();
        context
            .console
            .line(format!("{name:width$}  {address}  {}", Amount(*balance)).trim_start())?;
    }
    Ok(())
}

fn wanted(
    context: &Context,
    accounts: &[AccountRef],
) -> Result<Vec<(Option<String>, Address)>, Failure> {
    if !accounts.is_empty() {
        let named = |account: &AccountRef| match account {
            AccountRef::Name(name) => Some(name.to_string()),
            AccountRef::Address(_) => None,
        };
        return accounts
            .iter()
            .map(|account| Ok((named(account), context.address(account)?)))
            .collect();
    }
    let all = context.keystore.list()?.accounts;
    all.iter()
        .map(|account| {
            Ok((
                account.name.as_ref().map(ToString::to_string),
                address_of(account)?,
            ))
        })
        .collect()
}

fn row_json(row: &Row) -> Value {
    json!({
        "name": row.name,
        "address": row.address.to_string(),
        "balance": row.balance.to_string(),
    })
}
