//! `list`: the accounts of the keystore.

use serde_json::Value;

use super::{Context, account_json};
use crate::{Failure, keystore::Account};

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let listing = context.keystore.list()?;
    for (_, reason) in &listing.ignored {
        context.console.note(format_args!("Ignored: {reason}"));
    }
    let accounts = &listing.accounts;
    if context.console.json {
        let all = Value::Array(accounts.iter().map(account_json).collect());
        return Ok(context.console.line(format_args!("{all:#}"))?);
    }
    if accounts.is_empty() {
        let directory = context.keystore.directory().display();
        context.console.note(format_args!(
            "There are no accounts in {directory} yet; make one with `cairn-wallet new`."
        ));
    }
    let width = accounts
        .iter()
        .map(|account| name(account).len())
        .max()
        .unwrap_or_default();
    for account in accounts {
        let address = account.address.map_or_else(
            || format!("(no address stated in {})", account.path.display()),
            |address| address.to_string(),
        );
        let derivation = account.derivation.as_deref().unwrap_or("imported");
        let (name, scheme) = (name(account), account.scheme);
        context.console.line(format_args!(
            "{name:width$}  {address}  {scheme:9}  {derivation}"
        ))?;
    }
    Ok(())
}

fn name(account: &Account) -> &str {
    account.name.as_ref().map_or("-", |name| name.as_str())
}
