//! What can go wrong with key files, each with what to do next.

use std::{io, path::PathBuf};

use alloy_primitives::Address;
use thiserror::Error;

use crate::{address::AccountName, key::KeyError};

/// Why the keystore cannot do what was asked.
#[derive(Debug, Error)]
pub enum KeystoreError {
    /// The operating system refused.
    #[error("cannot {action} {}: {error}; check that the path exists and is yours", path.display())]
    Io {
        /// What was tried, as in "cannot … PATH".
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Its answer.
        error: io::Error,
    },
    /// The file is larger than any key file.
    #[error("{} is larger than {max_bytes} bytes and so no key file; give the path of a key file", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// The limit.
        max_bytes: u64,
    },
    /// The directory holds too much to be a keystore.
    #[error("{} holds more than {max} files and does not look like a keystore; set --keystore", path.display())]
    TooManyFiles {
        /// Which directory.
        path: PathBuf,
        /// The limit.
        max: usize,
    },
    /// The file is no key file, or does not open.
    #[error("{}: {error}", path.display())]
    Format {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        error: FormatError,
    },
    /// No key file has this address or name.
    #[error("there is no account {wanted} in {}; `cairn-wallet list` shows those there are", directory.display())]
    NoSuchAccount {
        /// The address or name asked for.
        wanted: String,
        /// The keystore.
        directory: PathBuf,
    },
    /// The account is there already.
    #[error(
        "this account is in the keystore already, in {}; use it as {title}, or {} with `cairn-wallet name {title} NAME`: nothing was written",
        path.display(),
        if *has_name { "rename it" } else { "give it a name" }
    )]
    Exists {
        /// Its name, or its address if it has none.
        title: String,
        /// Whether it has a name.
        has_name: bool,
        /// Its file.
        path: PathBuf,
    },
    /// An account has the name already.
    #[error(
        "the name \"{name}\" is taken by {owner}; if that is the account you mean, it is there already, else choose another name"
    )]
    NameTaken {
        /// The name.
        name: AccountName,
        /// The account that has it.
        owner: String,
    },
    /// A key is never stored without protection.
    #[error("the passphrase is empty, and keys are only stored encrypted; choose a passphrase")]
    EmptyPassphrase,
}

/// Why a text is no key file, or gives no key.
#[derive(Debug, Error)]
pub enum FormatError {
    /// Not the JSON of Web3 Secret Storage.
    #[error("this is not a key file (Web3 Secret Storage, JSON): {0}")]
    Json(String),
    /// Another version of the format.
    #[error(
        "this key file has version {got}; only version 3 is supported, so convert it with the program that made it"
    )]
    Version {
        /// The version it states.
        got: u64,
    },
    /// A field that has a wrong length or is not hexadecimal.
    #[error(
        "the field {field} of this key file must be {expected}; the file is damaged or of another kind"
    )]
    Field {
        /// Which field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// Key derivation beyond what a key file may cost.
    #[error(
        "this key file asks for {parameter} = {got}, which is outside {allowed}; it is damaged or hostile"
    )]
    KdfBounds {
        /// Which parameter.
        parameter: &'static str,
        /// Its value.
        got: u64,
        /// The values that are accepted.
        allowed: &'static str,
    },
    /// The checksum under the passphrase does not match.
    #[error("the passphrase is wrong (or the file is damaged); try again")]
    WrongPassphrase,
    /// The key inside belongs to another address.
    #[error(
        "the key inside belongs to {got}, not to {stated} as the file says; the file was changed, restore it from a backup"
    )]
    AddressMismatch {
        /// The address in the file.
        stated: Address,
        /// The address of the key.
        got: Address,
    },
    /// The bytes inside are no key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random numbers, so nothing can be encrypted; try again")]
    NoRandomness,
}
