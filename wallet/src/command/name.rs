//! `name`: another name for an account.

use clap::Args;

use super::{Context, account_json};
use crate::{
    Failure,
    address::{AccountName, AccountRef},
};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet name 0xADDRESS main     an account that has no name yet
  cairn-wallet name main savings       another one";

/// `name`
///
/// The name stands in the key file, beside the key, so no passphrase is needed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct NameArguments {
    /// The account: its address or its name.
    account: AccountRef,
    /// What it is called from now on.
    #[arg(value_name = "NAME")]
    name: AccountName,
}

pub(super) fn run(context: &Context, arguments: &NameArguments) -> Result<(), Failure> {
    let NameArguments { account, name } = arguments;
    let account = context.keystore.rename(account, name)?;
    let address = account.address.map(|address| format!(" {address}"));
    let words = format!(
        "Account{} is now called {name}.",
        address.unwrap_or_default()
    );
    Ok(context.console.result(&account_json(&account), words)?)
}
