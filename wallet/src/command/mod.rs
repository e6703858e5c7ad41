//! One file per verb, and what several of them need.

mod balance;
mod contract;
mod export;
mod history;
mod import;
mod list;
mod name;
mod new;
mod payment;
mod restore;
mod send;
mod sign;
mod verify;

use alloy_primitives::{Address, Bytes, hex};
use clap::Args;
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub use self::{
    balance::BalanceArguments,
    contract::{CodeError, ContractArguments, ContractError},
    export::ExportArguments,
    history::HistoryArguments,
    import::ImportArguments,
    name::NameArguments,
    new::NewArguments,
    payment::{PaymentOptions, SendError},
    restore::RestoreArguments,
    send::SendArguments,
    sign::SignArguments,
    verify::VerifyArguments,
};
use crate::{
    Failure,
    address::AccountRef,
    cli::{Arguments, CommonOptions, Verb},
    client::Client,
    console::Console,
    key::PrivateKey,
    keystore::{Account, FormatError, Keystore, KeystoreError},
};

/// How often a mistyped passphrase is asked for.
const PASSPHRASE_ATTEMPTS: u32 = 3;

/// Carries out one command line.
///
/// # Errors
/// [`Failure`], which knows the exit code.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let context = Context::new(arguments.common)?;
    match arguments.verb {
        Verb::New(arguments) => new::run(&context, arguments),
        Verb::Restore(arguments) => restore::run(&context, arguments),
        Verb::Import(arguments) => import::run(&context, arguments),
        Verb::List => list::run(&context),
        Verb::Name(arguments) => name::run(&context, &arguments),
        Verb::Export(arguments) => export::run(&context, &arguments),
        Verb::Send(arguments) => send::run(&context, &arguments),
        Verb::Contract(arguments) => contract::run(&context, &arguments),
        Verb::Balance(arguments) => balance::run(&context, &arguments),
        Verb::History(arguments) => history::run(&context, &arguments),
        Verb::Sign(arguments) => sign::run(&context, &arguments),
        Verb::Verify(arguments) => verify::run(&context, &arguments),
    }
}

/// What every verb works with.
#[derive(Debug)]
struct Context {
    console: Console,
    keystore: Keystore,
    rpc: String,
}

impl Context {
    fn new(options: CommonOptions) -> Result<Self, Failure> {
        let CommonOptions {
            rpc,
            keystore,
            password_file,
            json,
        } = options;
        let default = || std::env::home_dir().map(|home| home.join(".cairn").join("keystore"));
        let directory = keystore.or_else(default).ok_or_else(|| {
            Failure::Usage(
                "there is no home directory to keep keys in; set --keystore DIR".to_owned(),
            )
        })?;
        Ok(Self {
            console: Console {
                json,
                password_file,
            },
            keystore: Keystore::new(directory),
            rpc,
        })
    }

    fn client(&self) -> Result<Client, Failure> {
        Ok(Client::new(&self.rpc)?)
    }

    /// The account that is meant, or the only one there is.
    fn account(&self, wanted: Option<&AccountRef>) -> Result<Account, Failure> {
        if let Some(wanted) = wanted {
            return Ok(self.keystore.find(wanted)?);
        }
        let mut accounts = self.keystore.list()?.accounts;
        match accounts.len() {
            1 => Ok(accounts.remove(0)),
            0 => Err(Failure::Input(format!(
                "there are no accounts in {}; make one with `cairn-wallet new`",
                self.keystore.directory().display()
            ))),
            _ => {
                let titles: Vec<String> = accounts.iter().map(Account::title).collect();
                Err(Failure::Usage(format!(
                    "which account? name one of: {}",
                    titles.join(", ")
                )))
            }
        }
    }

    /// The address that is meant; a name is looked up in the keystore.
    fn address(&self, wanted: &AccountRef) -> Result<Address, Failure> {
        match wanted {
            AccountRef::Address(address) => Ok(*address),
            AccountRef::Name(_) => address_of(&self.keystore.find(wanted)?),
        }
    }

    /// Decrypts an account's key, asking again if the passphrase was mistyped.
    fn open(&self, account: &Account) -> Result<PrivateKey, Failure> {
        Ok(self.open_with_passphrase(account)?.0)
    }

    fn open_with_passphrase(
        &self,
        account: &Account,
    ) -> Result<(PrivateKey, Zeroizing<String>), Failure> {
        if let Some(passphrase) = self.console.prepared_passphrase()? {
            return Ok((account.open(&passphrase)?, passphrase));
        }
        let mut attempt = 1;
        loop {
            let passphrase = self.console.ask_passphrase(&account.title())?;
            match account.open(&passphrase) {
                Err(KeystoreError::Format {
                    error: FormatError::WrongPassphrase,
                    ..
                }) if attempt < PASSPHRASE_ATTEMPTS => {
                    self.console.note("That is not the passphrase; try again.");
                }
                opened => return Ok((opened?, passphrase)),
            }
            attempt += 1;
        }
    }
}

/// The address of an account that states one; others must be opened to know it.
fn address_of(account: &Account) -> Result<Address, Failure> {
    account.address.ok_or_else(|| {
        Failure::Input(format!(
            "{} does not state its address; import it with `cairn-wallet import`",
            account.path.display()
        ))
    })
}

/// What is told about an account, in JSON.
fn account_json(account: &Account) -> Value {
    json!({
        "name": account.name.as_ref().map(|name| name.as_str()),
        "address": account.address.map(|address| address.to_string()),
        "scheme": account.scheme,
        "derivation": account.derivation,
        "file": account.path.display().to_string(),
    })
}

/// What is told about an account that was just added, in words.
fn added_words(account: &Account) -> String {
    let name = account
        .name
        .as_ref()
        .map(|name| format!(" {name}"))
        .unwrap_or_default();
    let address = account.address.unwrap_or_default();
    format!(
        "Account{name} {address} ({}) is stored in\n{}",
        account.scheme,
        account.path.display()
    )
}

/// A message to sign or verify, as `sign` and `verify` take it.
#[derive(Clone, Debug, Args)]
struct MessageArguments {
    /// The message; - reads it from stdin, to the byte.
    message: String,
    /// The message is bytes written in hexadecimal.
    #[arg(long)]
    hex: bool,
}

impl MessageArguments {
    fn read(&self, console: &Console) -> Result<Vec<u8>, Failure> {
        let text = match self.message.as_str() {
            "-" => console.all_input("the message")?,
            text => Zeroizing::new(text.to_owned()),
        };
        if !self.hex {
            return Ok(text.as_bytes().to_vec());
        }
        let bytes = parse_hex(text.trim()).map_err(Failure::Usage)?;
        Ok(bytes.to_vec())
    }
}

/// Reads bytes in hexadecimal, with or without 0x.
fn parse_hex(text: &str) -> Result<Bytes, String> {
    match hex::decode(text) {
        Ok(bytes) => Ok(bytes.into()),
        Err(_) => Err(
            "this is not hexadecimal: an even number of digits 0-9 and a-f is needed".to_owned(),
        ),
    }
}
