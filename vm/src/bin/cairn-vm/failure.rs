//! Why a verb ended without doing what was asked, in one sentence.

use std::{
    io::{self, ErrorKind},
    path::PathBuf,
};

use cairn_vm::InvalidTransaction;
use thiserror::Error;

/// Exit code of a verb that was understood but failed.
pub const FAILED: u8 = 1;

/// Exit code of a command line that cannot be carried out as it stands.
const USAGE: u8 = 2;

/// What went wrong and, where it is not plain, what to do next.
#[derive(Debug, Error)]
pub enum Failure {
    #[error("there is no file or folder {}", .0.display())]
    NoSuchPath(PathBuf),
    #[error("there is no *.json file below {}", .0.display())]
    NoFixtures(PathBuf),
    #[error("{} cannot be read: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    #[error("{} is not a state-test fixture: {error}", path.display())]
    NotAFixture {
        path: PathBuf,
        error: serde_json::Error,
    },
    #[error("no case is named {0} or has that in its name")]
    NoSuchCase(String),
    #[error(
        "{count} cases have {wanted} in their names, for example {example}: give the whole name"
    )]
    SeveralCases {
        wanted: String,
        count: usize,
        example: String,
    },
    #[error("{what} is not hexadecimal: {error}")]
    Hex {
        what: &'static str,
        error: alloy_primitives::hex::FromHexError,
    },
    #[error("the code cannot be called: {0}")]
    Invalid(InvalidTransaction),
    #[error("threads cannot be started: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// Whether the reader of the output went away, as `head` does: nobody wants to hear of that.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == ErrorKind::BrokenPipe)
    }

    /// 2 if another command line is needed, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Hex { .. } => USAGE,
            _ => FAILED,
        }
    }
}
