//! `export`: the secret itself, after a passphrase and a warning.

use alloy_primitives::hex;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Context;
use crate::{Failure, address::AccountRef, keystore::Account};

/// What to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The private key in hexadecimal, unprotected.
    Key,
    /// The encrypted key file.
    Keystore,
}

const EXAMPLES: &str = "\
Examples:
  cairn-wallet export main                                prints the private key
  cairn-wallet export main --format keystore > main.json  prints the key file, still encrypted";

/// `export`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ExportArguments {
    /// Address or name [default: the only account].
    #[arg(value_name = "ACCOUNT")]
    account: Option<AccountRef>,
    /// What to print: the private key, or the key file, which stays encrypted.
    #[arg(long, value_enum, default_value_t = Format::Key)]
    format: Format,
    /// Do not ask (for scripts).
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(context: &Context, arguments: &ExportArguments) -> Result<(), Failure> {
    let account = context.account(arguments.account.as_ref())?;
    let title = account.title();
    match arguments.format {
        Format::Key => {
            context.console.note(format_args!(
                "Warning: whoever sees the private key of {title} can take all its coins, and nobody can undo that."
            ));
            if !arguments.yes && !context.console.confirm("Print the private key?")? {
                return Err(Failure::Declined("nothing was printed"));
            }
            print_key(context, &account)
        }
        Format::Keystore => {
            context.console.note(format_args!(
                "Keep this file of {title} to yourself: only its passphrase protects the key inside."
            ));
            // A file that its owner cannot open is no backup.
            context.open(&account)?;
            Ok(context.console.line(account.to_json().trim_end())?)
        }
    }
}

fn print_key(context: &Context, account: &Account) -> Result<(), Failure> {
    let key = context.open(account)?;
    let text = Zeroizing::new(hex::encode_prefixed(key.expose()));
    let json = json!({
        "address": key.address().to_string(),
        "scheme": key.scheme(),
        "privateKey": Value::String(text.to_string()),
    });
    Ok(context.console.result(&json, &*text)?)
}
