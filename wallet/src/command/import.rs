//! `import`: a private key, or a key file of another program.

use std::path::PathBuf;

use clap::Args;
use zeroize::Zeroizing;

use super::{Context, account_json, added_words};
use crate::{
    Failure,
    address::AccountName,
    key::{PrivateKey, Scheme},
    keystore::{Account, Kdf, KeyFile, KeystoreError, Label, disk},
};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet import ~/.ethereum/keystore/UTC--...    a key file: asks for its passphrase, keeps it
  cairn-wallet import --scheme secp256k1               a private key: hidden prompt, or stdin";

/// `import`
///
/// A key file (Web3 Secret Storage, version 3) is opened with its passphrase and stored again under
/// the same one. A private key is 64 hexadecimal digits and gets a new passphrase.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ImportArguments {
    /// Key file, or file that holds a private key. Without it: a hidden prompt, or stdin.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The kind of a private key: secp256k1 for those of Ethereum tools. A key file knows its own.
    #[arg(long, value_enum)]
    scheme: Option<Scheme>,
    /// A name for the account, to use instead of its address.
    #[arg(long, value_name = "NAME")]
    name: Option<AccountName>,
}

pub(super) fn run(context: &Context, arguments: ImportArguments) -> Result<(), Failure> {
    let ImportArguments { file, scheme, name } = arguments;
    context.keystore.check_free(None, name.as_ref())?;
    let text = match &file {
        Some(path) => disk::read(path)?,
        None => context
            .console
            .secret("the private key", "Private key (not shown): ")?,
    };
    let origin = file.unwrap_or_else(|| PathBuf::from("stdin"));
    let (key, passphrase, label) = if text.trim_start().starts_with('{') {
        import_file(context, origin, &text, scheme, name)?
    } else {
        import_raw(context, &text, scheme, name)?
    };
    let account = context
        .keystore
        .add(&key, &passphrase, label, &Kdf::standard())?;
    Ok(context
        .console
        .result(&account_json(&account), added_words(&account))?)
}

/// What is stored: the key, its passphrase and its label.
type Imported = (PrivateKey, Zeroizing<String>, Label);

fn import_file(
    context: &Context,
    origin: PathBuf,
    text: &str,
    scheme: Option<Scheme>,
    name: Option<AccountName>,
) -> Result<Imported, Failure> {
    let file = KeyFile::from_json(text).map_err(|error| KeystoreError::Format {
        path: origin.clone(),
        error,
    })?;
    if let Some(wanted) = scheme.filter(|&wanted| wanted != file.scheme()) {
        let got = file.scheme();
        return Err(Failure::Usage(format!(
            "the key file holds a key of {got}, not {wanted}; leave --scheme out"
        )));
    }
    let account = Account::from_file(origin, file);
    // Before the passphrase is asked for, not after.
    context.keystore.check_free(account.address, None)?;
    let (key, passphrase) = context.open_with_passphrase(&account)?;
    let label = Label {
        name: name.or(account.name),
        derivation: account.derivation,
    };
    Ok((key, passphrase, label))
}

fn import_raw(
    context: &Context,
    text: &str,
    scheme: Option<Scheme>,
    name: Option<AccountName>,
) -> Result<Imported, Failure> {
    let scheme = scheme.ok_or_else(|| {
        let message = "which kind of key is it? add --scheme secp256k1 (Ethereum tools) or --scheme ed25519 (Cairn)";
        Failure::Usage(message.to_owned())
    })?;
    let key = PrivateKey::from_hex(scheme, text)?;
    context.keystore.check_free(Some(key.address()), None)?;
    let passphrase = context.console.new_passphrase()?;
    Ok((
        key,
        passphrase,
        Label {
            name,
            derivation: None,
        },
    ))
}
