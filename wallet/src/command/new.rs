//! `new`: an account from fresh words, which are shown once.

use clap::Args;
use serde_json::Value;

use super::{Context, account_json, added_words};
use crate::{
    Failure,
    address::AccountName,
    console::{Console, ConsoleError},
    derive::{DerivationPath, derive},
    key::Scheme,
    keystore::{Kdf, Label},
    mnemonic::{MnemonicError, Phrase, WordCount},
};

/// How many words the user has to type again.
const CHECKED_WORDS: usize = 3;

/// How often one word may be mistyped.
const ATTEMPTS: usize = 3;

/// How many words stand in one line.
const COLUMNS: usize = 4;

const EXAMPLES: &str = "\
Examples:
  cairn-wallet new --name main                     shows 12 words, asks for some of them again
  cairn-wallet new --words 24 --scheme secp256k1   an account that Ethereum tools can use too
  cairn-wallet --json --password-file FILE new --yes

The words are not stored. With them anyone can take the coins; without them (or the key file and \
its passphrase) nobody can, not even you.";

/// `new`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct NewArguments {
    /// A name for the account, to use instead of its address.
    #[arg(long, value_name = "NAME")]
    name: Option<AccountName>,
    /// The kind of key.
    #[arg(long, value_enum, default_value_t, env = "CAIRN_SCHEME")]
    scheme: Scheme,
    /// How many words: 12 or 24.
    #[arg(long, value_name = "N", default_value = "12", value_parser = ["12", "24"])]
    words: String,
    /// Do not ask: print the words once with the result (for scripts).
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(context: &Context, arguments: NewArguments) -> Result<(), Failure> {
    let NewArguments {
        name,
        scheme,
        words,
        yes,
    } = arguments;
    let console = &context.console;
    if !yes && !console.is_interactive() {
        return Err(ConsoleError::NoScreen.into());
    }
    context.keystore.check_free(None, name.as_ref())?;
    let passphrase = console.new_passphrase()?;
    let count = if words == "24" {
        WordCount::TwentyFour
    } else {
        WordCount::Twelve
    };
    let phrase = Phrase::generate(count)?;
    let path = DerivationPath::account(scheme, 0)?;
    let key = derive(scheme, &*phrase.seed(""), &path)?;
    if !yes {
        show_and_confirm(console, &phrase)?;
    }
    let label = Label {
        name,
        derivation: Some(path.to_string()),
    };
    let account = context
        .keystore
        .add(&key, &passphrase, label, &Kdf::standard())?;
    let mut json = account_json(&account);
    let mut text = added_words(&account);
    if yes {
        let words = phrase.text();
        json["mnemonic"] = Value::String(words.to_string());
        text = format!(
            "{text}\n\nIts words, shown this once (they restore the account and cannot be had again):\n{}",
            *words
        );
    }
    Ok(console.result(&json, text)?)
}

/// Shows the words, removes them from the screen, and has some of them typed again.
fn show_and_confirm(console: &Console, phrase: &Phrase) -> Result<(), Failure> {
    let words: Vec<&str> = phrase.words().collect();
    console.note(
        "Write these words on paper, in this order. They restore the account; whoever has them",
    );
    console.note("has your coins. They are shown once and stored nowhere.\n");
    let mut lines: usize = 0;
    for (row, chunk) in words.chunks(COLUMNS).enumerate() {
        let first = row * COLUMNS;
        let cells = chunk
            .iter()
            .enumerate()
            .map(|(i, word)| format!("{:>3}. {word:<9}", first + i + 1));
        console.note(cells.collect::<String>());
        lines += 1;
    }
    console.ask("\nPress Enter when they are written down. ")?;
    // The words, the empty line, and the line of the prompt.
    let rows = lines + 2;
    console.note(format_args!("\x1b[{rows}A\x1b[JThe words are hidden now."));
    for position in random_positions(words.len())? {
        confirm_word(console, position, words[position])?;
    }
    Ok(())
}

fn confirm_word(console: &Console, position: usize, word: &str) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let typed = console.ask(&format!("Word number {}: ", position + 1))?;
        if typed.trim().eq_ignore_ascii_case(word) {
            return Ok(());
        }
        console.note("That is another word; look at your paper.");
    }
    Err(Failure::Declined(
        "the words were not confirmed, so no account was made; run `cairn-wallet new` again",
    ))
}

/// Some distinct positions below `count`, in order.
fn random_positions(count: usize) -> Result<Vec<usize>, MnemonicError> {
    let mut positions: Vec<usize> = Vec::with_capacity(CHECKED_WORDS);
    while positions.len() < CHECKED_WORDS {
        let mut byte = [0_u8];
        getrandom::fill(&mut byte).map_err(|_| MnemonicError::NoRandomness)?;
        let position = usize::from(byte[0]) % count;
        if !positions.contains(&position) {
            positions.push(position);
        }
    }
    positions.sort_unstable();
    Ok(positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_words_are_distinct_and_exist() {
        for count in [12, 24] {
            let positions = random_positions(count).unwrap();
            assert_eq!(positions.len(), CHECKED_WORDS);
            assert!(positions.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(positions.iter().all(|&position| position < count));
        }
    }
}
