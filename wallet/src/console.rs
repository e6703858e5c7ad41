//! Where people and scripts meet the wallet: output, questions, secrets.
//!
//! Results go to stdout, everything said on the way to stderr, so that `--json` and pipes get
//! clean data. A question is only asked where somebody can answer it.

use std::{
    fmt::Display,
    io::{self, BufRead, IsTerminal, Read, Write},
    path::PathBuf,
};

use serde_json::Value;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::keystore::{KeystoreError, disk};

/// Environment variable that holds a passphrase.
pub const PASSWORD_VARIABLE: &str = "CAIRN_PASSWORD";

/// Most bytes that are read from stdin: a key file, a mnemonic, a key or a message.
const MAX_INPUT_BYTES: u64 = 1 << 20;

/// Room for a usual secret: text that outgrows its buffer leaves a copy behind that nobody erases.
const SECRET_CAPACITY: usize = 4 << 10;

/// A new passphrase shorter than this gets a warning; it is the user's decision.
const SHORT_PASSPHRASE_CHARS: usize = 8;

/// Why nothing can be said or asked.
#[derive(Debug, Error)]
pub enum ConsoleError {
    /// The result cannot be written.
    #[error("cannot write the result: {0}; check where the output goes")]
    Output(io::Error),
    /// Input ended or failed.
    #[error("cannot read {what}: {error}")]
    Input {
        /// What was to be read.
        what: &'static str,
        /// The system's answer.
        error: io::Error,
    },
    /// A question that nobody is there to answer.
    #[error("there is no terminal to ask for {what}; {instead}")]
    NoTerminal {
        /// What would be asked.
        what: &'static str,
        /// How to give it otherwise.
        instead: &'static str,
    },
    /// Words that nobody is there to read.
    #[error("there is no terminal to show the words on; add --yes to print them with the result")]
    NoScreen,
    /// More input than there can be.
    #[error("{what} is longer than {MAX_INPUT_BYTES} bytes; check what is piped into the command")]
    TooLong {
        /// What was read.
        what: &'static str,
    },
    /// The password file cannot be read.
    #[error(transparent)]
    PasswordFile(#[from] KeystoreError),
    /// The password file holds more than a passphrase.
    #[error("{} has more than one line; a password file holds the passphrase alone", path.display())]
    PasswordFileLines {
        /// Which file.
        path: PathBuf,
    },
    /// The password file holds nothing.
    #[error("the password file {} is empty; it holds the passphrase, on one line", path.display())]
    PasswordFileEmpty {
        /// Which file.
        path: PathBuf,
    },
    /// The environment variable is not text.
    #[error("{PASSWORD_VARIABLE} is not UTF-8; use --password-file")]
    PasswordVariable,
    /// The two entries of a new passphrase differ.
    #[error("the two passphrases are different, so nothing was written; try again")]
    Different,
}

/// Output and input of one run.
#[derive(Clone, Debug)]
pub struct Console {
    /// Whether results are printed as JSON.
    pub json: bool,
    /// File that holds the passphrase.
    pub password_file: Option<PathBuf>,
}

impl Console {
    /// Prints a line of the result.
    ///
    /// # Errors
    /// [`ConsoleError::Output`].
    pub fn line(&self, text: impl Display) -> Result<(), ConsoleError> {
        writeln!(io::stdout().lock(), "{text}").map_err(ConsoleError::Output)
    }

    /// Prints the result as JSON if that is wanted, else in words.
    ///
    /// # Errors
    /// [`ConsoleError::Output`].
    pub fn result(&self, json: &Value, words: impl Display) -> Result<(), ConsoleError> {
        if self.json {
            self.line(format_args!("{json:#}"))
        } else {
            self.line(words)
        }
    }

    /// Says something that is not part of the result.
    pub fn note(&self, text: impl Display) {
        // Whoever closed stderr does not want to read this.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Shows how far something is, on a line that the next one overwrites. Only on a terminal.
    pub fn progress(&self, text: impl Display) {
        if io::stderr().is_terminal() {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
        }
    }

    /// Removes the progress line.
    pub fn end_progress(&self) {
        self.progress("");
    }

    /// Whether a person sits at both ends: can read what is said and can type an answer.
    #[must_use]
    pub fn is_interactive(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a question that is answered with yes or no; anything but y or yes is no.
    ///
    /// # Errors
    /// [`ConsoleError::NoTerminal`], where `--yes` answers it.
    pub fn confirm(&self, question: &str) -> Result<bool, ConsoleError> {
        if !self.is_interactive() {
            return Err(ConsoleError::NoTerminal {
                what: "a confirmation",
                instead: "add --yes to go ahead",
            });
        }
        let answer = self.ask(&format!("{question} [y/N] "))?;
        Ok(matches!(
            answer.trim().to_ascii_lowercase().as_str(),
            "y" | "yes"
        ))
    }

    /// Asks for a line that is shown while it is typed.
    ///
    /// # Errors
    /// [`ConsoleError::Input`].
    pub fn ask(&self, prompt: &str) -> Result<Zeroizing<String>, ConsoleError> {
        let failed = |error| ConsoleError::Input {
            what: "the answer",
            error,
        };
        let mut stderr = io::stderr().lock();
        write!(stderr, "{prompt}")
            .and_then(|()| stderr.flush())
            .map_err(ConsoleError::Output)?;
        let mut answer = Zeroizing::new(String::with_capacity(SECRET_CAPACITY));
        let read = io::stdin()
            .lock()
            .take(MAX_INPUT_BYTES)
            .read_line(&mut answer)
            .map_err(failed)?;
        if read == 0 {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(answer)
    }

    /// Reads a secret: hidden from a terminal, else all of stdin.
    ///
    /// # Errors
    /// [`ConsoleError`].
    pub fn secret(
        &self,
        what: &'static str,
        prompt: &str,
    ) -> Result<Zeroizing<String>, ConsoleError> {
        if io::stdin().is_terminal() {
            return hidden(prompt, what, "pipe it into the command");
        }
        self.all_input(what)
    }

    /// Reads all of stdin.
    ///
    /// # Errors
    /// [`ConsoleError::Input`] or [`ConsoleError::TooLong`].
    pub fn all_input(&self, what: &'static str) -> Result<Zeroizing<String>, ConsoleError> {
        let mut text = Zeroizing::new(String::with_capacity(SECRET_CAPACITY));
        io::stdin()
            .lock()
            .take(MAX_INPUT_BYTES.saturating_add(1))
            .read_to_string(&mut text)
            .map_err(|error| ConsoleError::Input { what, error })?;
        if text.len() as u64 > MAX_INPUT_BYTES {
            return Err(ConsoleError::TooLong { what });
        }
        Ok(text)
    }

    /// The passphrase that was given beforehand: the password file, else the environment.
    ///
    /// # Errors
    /// [`ConsoleError`] if it is there but cannot be used.
    pub fn prepared_passphrase(&self) -> Result<Option<Zeroizing<String>>, ConsoleError> {
        if let Some(path) = &self.password_file {
            let text = disk::read(path)?;
            let line = text.strip_suffix('\n').unwrap_or(&text);
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.is_empty() {
                return Err(ConsoleError::PasswordFileEmpty { path: path.clone() });
            }
            if line.contains('\n') {
                return Err(ConsoleError::PasswordFileLines { path: path.clone() });
            }
            return Ok(Some(Zeroizing::new(line.to_owned())));
        }
        match std::env::var(PASSWORD_VARIABLE) {
            Ok(passphrase) => Ok(Some(Zeroizing::new(passphrase))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(ConsoleError::PasswordVariable),
        }
    }

    /// Asks the terminal for the passphrase of something that exists.
    ///
    /// # Errors
    /// [`ConsoleError::NoTerminal`].
    pub fn ask_passphrase(&self, of: &str) -> Result<Zeroizing<String>, ConsoleError> {
        hidden(
            &format!("Passphrase of {of}: "),
            "the passphrase",
            PASSPHRASE_INSTEAD,
        )
    }

    /// A passphrase for a new key file: prepared, or asked for twice.
    ///
    /// # Errors
    /// [`ConsoleError`].
    pub fn new_passphrase(&self) -> Result<Zeroizing<String>, ConsoleError> {
        if let Some(passphrase) = self.prepared_passphrase()? {
            self.warn_if_short(&passphrase);
            return Ok(passphrase);
        }
        let what = "a passphrase";
        let first = hidden(
            "Passphrase for the new key file: ",
            what,
            PASSPHRASE_INSTEAD,
        )?;
        let second = hidden("The same again: ", what, PASSPHRASE_INSTEAD)?;
        if first != second {
            return Err(ConsoleError::Different);
        }
        self.warn_if_short(&first);
        Ok(first)
    }

    fn warn_if_short(&self, passphrase: &str) {
        if passphrase.chars().count() < SHORT_PASSPHRASE_CHARS && !passphrase.is_empty() {
            self.note(
                "Warning: this passphrase is short; whoever copies the key file can guess it.",
            );
        }
    }
}

const PASSPHRASE_INSTEAD: &str = "use --password-file FILE or set CAIRN_PASSWORD";

/// Asks the controlling terminal, which is there even if stdin is a pipe.
fn hidden(
    prompt: &str,
    what: &'static str,
    instead: &'static str,
) -> Result<Zeroizing<String>, ConsoleError> {
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::Interrupted => {
                ConsoleError::Input { what, error }
            }
            _ => ConsoleError::NoTerminal { what, instead },
        })
}
