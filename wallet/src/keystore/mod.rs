//! The directory of encrypted keys.
//!
//! One file per account in the Web3 Secret Storage format, version 3, which geth, ethers, Foundry
//! and hardware tools read: `format` is the file, `kdf` the way from passphrase
//! to key, `disk` how bytes reach the disk. Accounts of ed25519 use the same format with a field
//! that says so (`"cairn": {"scheme": "ed25519"}`).
//!
//! ```text
//! passphrase ──kdf──► 32 bytes ─┬─ first 16: AES-128-CTR key ──► private key
//!                               └─ last 16: keccak256 with the ciphertext ──► mac, checked first
//! ```
//!
//! Deliberately absent: unencrypted keys, a cache of unlocked keys, the mnemonic (words are shown
//! once and never stored), deletion (removing a file is the user's business).

pub(crate) mod disk;
mod error;
mod format;
mod kdf;
mod name;

use std::path::{Path, PathBuf};

use alloy_primitives::{Address, hex};
use zeroize::Zeroizing;

pub use self::{
    error::{FormatError, KeystoreError},
    format::{CairnField, KeyFile},
    kdf::Kdf,
};
use crate::{
    address::{AccountName, AccountRef},
    key::{PrivateKey, Scheme},
};

/// Most files that are looked at in a keystore, so that a wrong directory ends in a sentence.
const MAX_FILES: usize = 10_000;

/// A directory of key files. It need not exist until the first account is added.
#[derive(Clone, Debug)]
pub struct Keystore {
    directory: PathBuf,
}

/// What is known of an account without its passphrase.
#[derive(Clone, Debug)]
pub struct Account {
    /// Where the key file lies.
    pub path: PathBuf,
    /// The address, from the file or its name. It is checked when the key is opened.
    pub address: Option<Address>,
    /// Which kind of key it is.
    pub scheme: Scheme,
    /// The name that the user gave it.
    pub name: Option<AccountName>,
    /// The path that it was derived by, if it was.
    pub derivation: Option<String>,
    file: KeyFile,
}

/// The accounts of a keystore, and the files that are none, with the reason.
#[derive(Debug, Default)]
pub struct Listing {
    /// Accounts, oldest file first.
    pub accounts: Vec<Account>,
    /// Files that are no key files.
    pub ignored: Vec<(PathBuf, KeystoreError)>,
}

/// What to remember about a key beside the key.
#[derive(Clone, Debug, Default)]
pub struct Label {
    /// A name for the account.
    pub name: Option<AccountName>,
    /// The path that it was derived by.
    pub derivation: Option<String>,
}

impl Keystore {
    /// The keystore in `directory`.
    #[must_use]
    pub const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Where the key files lie.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Reads every key file, without decrypting any. A directory that does not exist is empty.
    ///
    /// # Errors
    /// [`KeystoreError`] if the directory cannot be read; a bad file is listed as ignored.
    pub fn list(&self) -> Result<Listing, KeystoreError> {
        let mut listing = Listing::default();
        for path in disk::files(&self.directory, MAX_FILES)? {
            match Account::load(&path) {
                Ok(account) => listing.accounts.push(account),
                Err(error) => listing.ignored.push((path, error)),
            }
        }
        Ok(listing)
    }

    /// Finds an account by address or name.
    ///
    /// # Errors
    /// [`KeystoreError::NoSuchAccount`], or that the directory cannot be read.
    pub fn find(&self, wanted: &AccountRef) -> Result<Account, KeystoreError> {
        self.list()?
            .accounts
            .into_iter()
            .find(|account| account.is(wanted))
            .ok_or_else(|| KeystoreError::NoSuchAccount {
                wanted: wanted.to_string(),
                directory: self.directory.clone(),
            })
    }

    /// Checks that a key with this address and label can be added.
    ///
    /// # Errors
    /// [`KeystoreError::Exists`] or [`KeystoreError::NameTaken`].
    pub fn check_free(
        &self,
        address: Option<Address>,
        name: Option<&AccountName>,
    ) -> Result<(), KeystoreError> {
        for account in self.list()?.accounts {
            if address.is_some() && account.address == address {
                return Err(account.exists());
            }
            if let Some(name) = name.filter(|name| account.name.as_ref() == Some(name)) {
                return Err(KeystoreError::NameTaken {
                    name: name.clone(),
                    owner: account.address_or_path(),
                });
            }
        }
        Ok(())
    }

    /// Encrypts a key and writes it to a new file, which is on the disk when this returns.
    ///
    /// # Errors
    /// [`KeystoreError`]; nothing is left behind then.
    pub fn add(
        &self,
        key: &PrivateKey,
        passphrase: &str,
        label: Label,
        kdf: &Kdf,
    ) -> Result<Account, KeystoreError> {
        if passphrase.is_empty() {
            return Err(KeystoreError::EmptyPassphrase);
        }
        let address = key.address();
        self.check_free(Some(address), label.name.as_ref())?;
        let cairn = CairnField {
            scheme: key.scheme(),
            name: label.name.as_ref().map(|name| name.as_str().to_owned()),
            path: label.derivation,
        };
        let file = KeyFile::encrypt(key, passphrase, kdf, cairn).map_err(|error| {
            KeystoreError::Format {
                path: self.directory.clone(),
                error,
            }
        })?;
        let path = self
            .directory
            .join(name::file_name(std::time::SystemTime::now(), address));
        disk::write(&path, file.to_json().as_bytes())?;
        Ok(Account::from_file(path, file))
    }

    /// Gives an account another name. Its file is replaced, the key in it stays as it is.
    ///
    /// # Errors
    /// [`KeystoreError`]; the file is as before then.
    pub fn rename(
        &self,
        wanted: &AccountRef,
        name: &AccountName,
    ) -> Result<Account, KeystoreError> {
        let account = self.find(wanted)?;
        if account.name.as_ref() == Some(name) {
            return Ok(account);
        }
        self.check_free(None, Some(name))?;
        let cairn = CairnField {
            scheme: account.scheme,
            name: Some(name.as_str().to_owned()),
            path: account.derivation,
        };
        let path = account.path;
        let text = disk::read(&path)?;
        let text = format::with_field(&text, &cairn).map_err(|error| KeystoreError::Format {
            path: path.clone(),
            error,
        })?;
        disk::write(&path, text.as_bytes())?;
        Account::load(&path)
    }
}

impl Account {
    /// Reads one key file from anywhere.
    ///
    /// # Errors
    /// [`KeystoreError::Io`] or [`KeystoreError::Format`].
    pub fn load(path: &Path) -> Result<Self, KeystoreError> {
        let text = disk::read(path)?;
        let file = KeyFile::from_json(&text).map_err(|error| KeystoreError::Format {
            path: path.to_owned(),
            error,
        })?;
        Ok(Self::from_file(path.to_owned(), file))
    }

    /// Takes a key file that was read from elsewhere; `origin` stands for it in errors.
    #[must_use]
    pub fn from_file(origin: PathBuf, file: KeyFile) -> Self {
        let from_name = || {
            let stem = origin.file_name()?.to_str()?;
            parse_bare_address(stem.rsplit("--").next()?)
        };
        let address = file
            .address
            .as_deref()
            .and_then(parse_bare_address)
            .or_else(from_name);
        let cairn = file.cairn.as_ref();
        Self {
            address,
            scheme: file.scheme(),
            // A name that a foreign program put there and that no flag could express is not ours.
            name: cairn.and_then(|cairn| cairn.name.as_deref()?.parse().ok()),
            derivation: cairn.and_then(|cairn| cairn.path.clone()),
            path: origin,
            file,
        }
    }

    /// Whether this account is what the user means.
    #[must_use]
    pub fn is(&self, wanted: &AccountRef) -> bool {
        match wanted {
            AccountRef::Address(address) => self.address.as_ref() == Some(address),
            AccountRef::Name(name) => self.name.as_ref() == Some(name),
        }
    }

    /// Decrypts the key and checks that it belongs to the address that the file states.
    ///
    /// # Errors
    /// [`KeystoreError::Format`], for a wrong passphrase with [`FormatError::WrongPassphrase`].
    pub fn open(&self, passphrase: &str) -> Result<PrivateKey, KeystoreError> {
        let failed = |error| KeystoreError::Format {
            path: self.path.clone(),
            error,
        };
        let key = self.file.decrypt(passphrase).map_err(failed)?;
        let got = key.address();
        match self.address {
            Some(stated) if stated != got => {
                Err(failed(FormatError::AddressMismatch { stated, got }))
            }
            _ => Ok(key),
        }
    }

    /// The key file's text, still encrypted.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        Zeroizing::new(self.file.to_json())
    }

    /// The name if there is one, else the address: what to call the account in a sentence.
    #[must_use]
    pub fn title(&self) -> String {
        let name = self.name.as_ref().map(ToString::to_string);
        name.unwrap_or_else(|| self.address_or_path())
    }

    fn address_or_path(&self) -> String {
        self.address.map_or_else(
            || self.path.display().to_string(),
            |address| address.to_string(),
        )
    }

    /// The error of whoever adds this account once more.
    fn exists(self) -> KeystoreError {
        KeystoreError::Exists {
            title: self.title(),
            has_name: self.name.is_some(),
            path: self.path,
        }
    }
}

/// Key files write addresses without 0x and without a checksum.
fn parse_bare_address(text: &str) -> Option<Address> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = [0_u8; 20];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(Address::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Kdf = Kdf::cheap_for_tests();

    fn key(byte: u8) -> PrivateKey {
        PrivateKey::from_bytes(Scheme::Ed25519, &[byte; 32]).unwrap()
    }

    fn named(name: &str) -> Label {
        Label {
            name: Some(name.parse().unwrap()),
            derivation: None,
        }
    }

    #[test]
    fn an_account_is_found_again_and_opened() {
        let directory = tempfile::tempdir().unwrap();
        let keystore = Keystore::new(directory.path().join("deep/keystore"));
        assert!(keystore.list().unwrap().accounts.is_empty());
        let label = Label {
            derivation: Some("m/0'".to_owned()),
            ..named("main")
        };
        let added = keystore.add(&key(1), "secret", label, &CHEAP).unwrap();
        for wanted in [
            AccountRef::Address(key(1).address()),
            "main".parse().unwrap(),
        ] {
            let found = keystore.find(&wanted).unwrap();
            assert_eq!(found.path, added.path);
            assert_eq!(found.derivation.as_deref(), Some("m/0'"));
            assert_eq!(found.open("secret").unwrap(), key(1));
            assert!(matches!(
                found.open("Secret"),
                Err(KeystoreError::Format {
                    error: FormatError::WrongPassphrase,
                    ..
                })
            ));
        }
        let unknown = AccountRef::Name("other".parse().unwrap());
        assert!(matches!(
            keystore.find(&unknown),
            Err(KeystoreError::NoSuchAccount { .. })
        ));
    }

    #[test]
    fn nothing_is_added_twice() {
        let directory = tempfile::tempdir().unwrap();
        let keystore = Keystore::new(directory.path().to_owned());
        keystore
            .add(&key(1), "secret", named("main"), &CHEAP)
            .unwrap();
        let again = keystore.add(&key(1), "secret", Label::default(), &CHEAP);
        assert!(matches!(again, Err(KeystoreError::Exists { .. })));
        let same_name = keystore.add(&key(2), "secret", named("main"), &CHEAP);
        assert!(matches!(same_name, Err(KeystoreError::NameTaken { .. })));
        let empty = keystore.add(&key(2), "", Label::default(), &CHEAP);
        assert!(matches!(empty, Err(KeystoreError::EmptyPassphrase)));
        assert_eq!(keystore.list().unwrap().accounts.len(), 1);
    }

    #[test]
    fn a_name_changes_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let keystore = Keystore::new(directory.path().to_owned());
        for (byte, label) in [(1, Label::default()), (2, named("taken"))] {
            keystore.add(&key(byte), "secret", label, &CHEAP).unwrap();
        }
        let address = AccountRef::Address(key(1).address());
        let before = keystore.find(&address).unwrap();
        let text = std::fs::read_to_string(&before.path).unwrap();
        let foreign = text.replacen('{', "{\"x-other\": \"kept\",", 1);
        std::fs::write(&before.path, foreign).unwrap();
        let refused = keystore.rename(&address, &"taken".parse().unwrap());
        assert!(matches!(refused, Err(KeystoreError::NameTaken { .. })));
        for name in ["main", "main", "other"] {
            keystore.rename(&address, &name.parse().unwrap()).unwrap();
            let found = keystore.find(&name.parse().unwrap()).unwrap();
            assert_eq!(found.path, before.path);
            assert_eq!(found.open("secret").unwrap(), key(1));
        }
        let text = std::fs::read_to_string(&before.path).unwrap();
        assert!(text.contains("\"x-other\": \"kept\""), "{text}");
        assert_eq!(keystore.list().unwrap().accounts.len(), 2);
    }

    #[test]
    fn foreign_files_are_named_not_fatal() {
        let directory = tempfile::tempdir().unwrap();
        let keystore = Keystore::new(directory.path().to_owned());
        keystore
            .add(&key(1), "secret", Label::default(), &CHEAP)
            .unwrap();
        std::fs::write(directory.path().join("notes.txt"), "hello").unwrap();
        std::fs::write(directory.path().join("big.json"), vec![b' '; 1 << 20]).unwrap();
        std::fs::create_dir(directory.path().join("folder")).unwrap();
        let listing = keystore.list().unwrap();
        assert_eq!((listing.accounts.len(), listing.ignored.len()), (1, 2));
    }

    #[test]
    fn a_file_that_lies_about_its_address_is_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        let keystore = Keystore::new(directory.path().to_owned());
        let account = keystore
            .add(&key(1), "secret", Label::default(), &CHEAP)
            .unwrap();
        let lie = |from: &str, to: &str| {
            let text = std::fs::read_to_string(&account.path)
                .unwrap()
                .replace(from, to);
            Account::from_file(PathBuf::from("-"), KeyFile::from_json(&text).unwrap())
        };
        let ours = hex::encode(key(1).address());
        for liar in [lie(&ours, &"11".repeat(20)), lie("ed25519", "secp256k1")] {
            assert!(matches!(
                liar.open("secret"),
                Err(KeystoreError::Format {
                    error: FormatError::AddressMismatch { .. },
                    ..
                })
            ));
        }
    }
}
