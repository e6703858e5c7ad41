//! BIP-39: a seed written as English words.
//!
//! Words are secrets: no error repeats one, and the text is erased when it is dropped. Word lists
//! of other languages are absent, as in most wallets: BIP-39 itself advises against them.

use bip39::{Language, Mnemonic};
use thiserror::Error;
use zeroize::Zeroizing;

/// Longest text that is looked at: 24 words of at most 8 letters, generously spaced.
const MAX_TEXT_BYTES: usize = 1024;

/// Why a text is not a mnemonic.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum MnemonicError {
    /// BIP-39 allows 12, 15, 18, 21 or 24 words.
    #[error(
        "a mnemonic has 12, 15, 18, 21 or 24 words, this has {got}; check that none is missing"
    )]
    WordCount {
        /// Number of words given.
        got: usize,
    },
    /// A word is not in the list.
    #[error("word number {position} is not in the BIP-39 English list; check its spelling")]
    UnknownWord {
        /// Position of the word, counted from 1.
        position: usize,
    },
    /// All words exist, but the checksum in the last one is wrong.
    #[error("the words do not belong together (wrong checksum); check each word and their order")]
    Checksum,
    /// More text than any mnemonic has.
    #[error("this is too long for a mnemonic; give the words alone, separated by spaces")]
    TooLong,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random numbers, so no key can be made; try again")]
    NoRandomness,
}

/// How many words a new mnemonic has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordCount {
    /// 128 bits, as strong as the keys made of it.
    Twelve,
    /// 256 bits.
    TwentyFour,
}

/// The words of a seed, valid and in normal form: lower case, single spaces.
pub struct Phrase(Mnemonic);

impl Phrase {
    /// Makes new words from the operating system's randomness.
    ///
    /// # Errors
    /// [`MnemonicError::NoRandomness`].
    pub fn generate(count: WordCount) -> Result<Self, MnemonicError> {
        let mut entropy = Zeroizing::new([0_u8; 32]);
        let entropy = match count {
            WordCount::Twelve => &mut entropy[..16],
            WordCount::TwentyFour => &mut entropy[..],
        };
        getrandom::fill(entropy).map_err(|_| MnemonicError::NoRandomness)?;
        let mnemonic = Mnemonic::from_entropy_in(Language::English, entropy)
            .expect("16 and 32 bytes are lengths that BIP-39 knows");
        Ok(Self(mnemonic))
    }

    /// Reads words separated by any white space, in any case.
    ///
    /// # Errors
    /// [`MnemonicError`], which names the position of a wrong word, never the word.
    pub fn parse(text: &str) -> Result<Self, MnemonicError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(MnemonicError::TooLong);
        }
        let mut normal = Zeroizing::new(String::with_capacity(text.len()));
        for word in text.split_whitespace() {
            if !normal.is_empty() {
                normal.push(' ');
            }
            normal.extend(word.chars().map(|c| c.to_ascii_lowercase()));
        }
        Mnemonic::parse_in_normalized(Language::English, &normal)
            .map(Self)
            .map_err(Into::into)
    }

    /// The words in order.
    pub fn words(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.words()
    }

    /// The words in one line.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_string())
    }

    /// The 64-byte seed; `passphrase` is BIP-39's optional extra word, usually empty.
    #[must_use]
    pub fn seed(&self, passphrase: &str) -> Zeroizing<[u8; 64]> {
        Zeroizing::new(self.0.to_seed(passphrase))
    }
}

impl From<bip39::Error> for MnemonicError {
    fn from(error: bip39::Error) -> Self {
        match error {
            bip39::Error::BadWordCount(got) => Self::WordCount { got },
            bip39::Error::UnknownWord(index) => Self::UnknownWord {
                position: index.saturating_add(1),
            },
            _ => Self::Checksum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        derive::{DerivationPath, derive},
        key::Scheme,
        test_vectors,
    };
    use alloy_primitives::hex;

    const DEV: &str = "test test test test test test test test test test test junk";

    #[test]
    fn official_vectors() {
        let Some(json) = test_vectors::read("BIP-39", "bip39/vectors.json") else {
            return;
        };
        let vectors: serde_json::Value = serde_json::from_str(&json).unwrap();
        let english = vectors["english"].as_array().unwrap();
        assert!(english.len() >= 20);
        for vector in english {
            let [entropy, words, seed] = [0, 1, 2].map(|i| vector[i].as_str().unwrap());
            let made = Mnemonic::from_entropy(&hex::decode(entropy).unwrap()).unwrap();
            assert_eq!(made.to_string(), words);
            let phrase = Phrase::parse(words).unwrap();
            assert_eq!(phrase.text().as_str(), words);
            assert_eq!(hex::encode(*phrase.seed("TREZOR")), seed);
        }
    }

    #[test]
    fn the_development_mnemonic_gives_its_well_known_accounts() {
        let seed = Phrase::parse(DEV).unwrap().seed("");
        let address = |index| {
            let path = DerivationPath::account(Scheme::Secp256k1, index).unwrap();
            derive(Scheme::Secp256k1, &*seed, &path)
                .unwrap()
                .address()
                .to_string()
        };
        assert_eq!(address(0), "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        assert_eq!(address(1), "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
        assert_eq!(address(9), "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720");
    }

    #[test]
    fn reads_words_as_people_type_them() {
        let typed = DEV.to_uppercase().replace(' ', " \n\t");
        assert_eq!(Phrase::parse(&typed).unwrap().text().as_str(), DEV);
    }

    #[test]
    fn says_what_is_wrong_without_repeating_it() {
        let eleven = DEV.trim_end_matches(" junk");
        assert_eq!(
            Phrase::parse(eleven).err(),
            Some(MnemonicError::WordCount { got: 11 })
        );
        assert_eq!(
            Phrase::parse("").err(),
            Some(MnemonicError::WordCount { got: 0 })
        );
        let typo = DEV.replacen("test", "tset", 1);
        assert_eq!(
            Phrase::parse(&typo).err(),
            Some(MnemonicError::UnknownWord { position: 1 })
        );
        assert_eq!(
            Phrase::parse(&format!("{eleven} test")).err(),
            Some(MnemonicError::Checksum)
        );
        assert_eq!(
            Phrase::parse(&"test ".repeat(300)).err(),
            Some(MnemonicError::TooLong)
        );
    }

    #[test]
    fn new_words_are_new() {
        for (count, words) in [(WordCount::Twelve, 12), (WordCount::TwentyFour, 24)] {
            let [a, b] = [(); 2].map(|()| Phrase::generate(count).unwrap());
            assert_eq!(a.words().count(), words);
            assert_ne!(a.text(), b.text());
            assert!(Phrase::parse(&a.text()).is_ok());
        }
    }
}
