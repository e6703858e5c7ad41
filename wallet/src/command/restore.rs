//! `restore`: an account from words that exist.

use clap::Args;
use zeroize::Zeroizing;

use super::{Context, account_json, added_words};
use crate::{
    Failure,
    address::AccountName,
    cli::number,
    console::Console,
    derive::{DerivationPath, MAX_INDEX, derive},
    key::Scheme,
    keystore::{Kdf, Label},
    mnemonic::Phrase,
};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet restore --name main                 asks for the words without showing them
  cairn-wallet restore --scheme secp256k1 --index 1
  cat words | cairn-wallet restore --name main     reads them from stdin

Accounts are derived at m/44'/60'/0'/0'/INDEX' (ed25519, SLIP-0010) or m/44'/60'/0'/0/INDEX \
(secp256k1, BIP-32). Words are never taken from arguments, where others could see them.";

/// `restore`
///
/// The words come from a prompt that does not show them, or from stdin; never from arguments.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RestoreArguments {
    /// A name for the account, to use instead of its address.
    #[arg(long, value_name = "NAME")]
    name: Option<AccountName>,
    /// The kind of key; secp256k1 gives the addresses of Ethereum wallets.
    #[arg(long, value_enum, default_value_t, env = "CAIRN_SCHEME")]
    scheme: Scheme,
    /// Which account of the words, counted from 0.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = number::<u32>(0, MAX_INDEX.into()))]
    index: u32,
    /// Another derivation path, for example m/44'/60'/1'/0/0.
    #[arg(long, value_name = "PATH", conflicts_with = "index")]
    path: Option<DerivationPath>,
    /// The words have a BIP-39 passphrase ("25th word"): ask for it, or take stdin's second line.
    #[arg(long)]
    bip39_passphrase: bool,
}

pub(super) fn run(context: &Context, arguments: RestoreArguments) -> Result<(), Failure> {
    let RestoreArguments {
        name,
        scheme,
        index,
        path,
        bip39_passphrase,
    } = arguments;
    let path = path.map_or_else(|| DerivationPath::account(scheme, index), Ok)?;
    context.keystore.check_free(None, name.as_ref())?;
    let (phrase, extra) = read_words(&context.console, bip39_passphrase)?;
    let key = derive(scheme, &*phrase.seed(&extra), &path)?;
    context.keystore.check_free(Some(key.address()), None)?;
    let passphrase = context.console.new_passphrase()?;
    let label = Label {
        name,
        derivation: Some(path.to_string()),
    };
    let account = context
        .keystore
        .add(&key, &passphrase, label, &Kdf::standard())?;
    Ok(context
        .console
        .result(&account_json(&account), added_words(&account))?)
}

/// The words and BIP-39's passphrase, which is empty unless asked for.
fn read_words(console: &Console, with_extra: bool) -> Result<(Phrase, Zeroizing<String>), Failure> {
    let input = console.secret("the words", "Words (not shown): ")?;
    let none = Zeroizing::new(String::new());
    if !with_extra {
        return Ok((Phrase::parse(&input)?, none));
    }
    // What was piped holds both lines; what was typed is the first one only.
    let (words, extra) = match input.split_once('\n') {
        Some((words, rest)) => (
            words,
            Zeroizing::new(rest.trim_end_matches(['\r', '\n']).to_owned()),
        ),
        None if console.is_interactive() => (
            &**input,
            console.secret("the BIP-39 passphrase", "BIP-39 passphrase: ")?,
        ),
        None => {
            let missing = "stdin has no second line with the BIP-39 passphrase; add it or leave --bip39-passphrase out";
            return Err(Failure::Input(missing.to_owned()));
        }
    };
    Ok((Phrase::parse(words)?, extra))
}
