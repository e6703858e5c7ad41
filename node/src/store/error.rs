//! Why the database could not serve: always our own failure, never a peer's.

use std::path::PathBuf;

use cairn_genesis::ChainSpec;

/// A failure of the store. The node stops on it rather than going on with a
/// state that it cannot vouch for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has the directory open.
    #[error(
        "the data directory {} is in use by another process; stop that one first, or choose another directory with --datadir",
        path.display()
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// The directory was written by a later version.
    #[error(
        "the data directory {} has schema {found}, this version of Cairn reads schema {supported}; use the newer version, or another directory with --datadir",
        path.display()
    )]
    Schema {
        /// The data directory.
        path: PathBuf,
        /// The version found on disk.
        found: u32,
        /// The version this program reads.
        supported: u32,
    },
    /// The directory belongs to a chain with other rules.
    #[error(
        "the data directory {} holds chain {}, not {}; start it with --chain {}, or choose another directory with --datadir",
        path.display(), named(found), named(expected), builtin(found).unwrap_or("FILE, the spec that it was made with")
    )]
    OtherChain {
        /// The data directory.
        path: PathBuf,
        /// Genesis hash on disk.
        found: String,
        /// Genesis hash of the spec in use.
        expected: String,
    },
    /// The directory cannot be made or written to.
    #[error(
        "cannot use the data directory {}: {reason}; choose one that you may write to with --datadir",
        path.display()
    )]
    Directory {
        /// The data directory.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// No space is left where the database lies.
    #[error(
        "no space left on the disk that holds {}; free some and start again: every block that was shown is safe",
        path.display()
    )]
    DiskFull {
        /// The data directory.
        path: PathBuf,
    },
    /// The operating system or RocksDB refused.
    #[error(
        "database error: {0}; every block that was shown is safe: remove the cause and start again"
    )]
    Io(String),
    /// A long reorganization is being written in several batches.
    #[error("the node is applying a long reorganization; try again in a moment")]
    Reorganizing,
    /// Bytes in the database are not what this program writes.
    #[error(
        "the database is damaged: {0}; put back a copy of the data directory, or begin anew in another one with --datadir"
    )]
    Corrupt(String),
}

/// The built-in chain of this genesis hash.
fn builtin(genesis: &str) -> Option<&'static str> {
    let hash = |name: &str| Some(ChainSpec::builtin(name)?.genesis_hash().to_string());
    let mut names = ChainSpec::builtin_names().iter().copied();
    names.find(|name| hash(name).as_deref() == Some(genesis))
}

fn named(genesis: &str) -> String {
    match builtin(genesis) {
        Some(name) => format!("{genesis} (`{name}`)"),
        None => genesis.to_owned(),
    }
}

impl StoreError {
    /// A value that does not decode.
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}
