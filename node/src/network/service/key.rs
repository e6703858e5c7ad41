//! The node's key: its peer id is the same after every restart.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use alloy_primitives::hex;
use libp2p::identity::Keypair;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file holds something else.
    #[error(
        "the node's key {} is damaged: it should hold 64 hexadecimal digits; restore it, or delete it for a new identity",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be used.
    #[error("the node's key {} cannot be used: {reason}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
}

/// The key in this file, which is made if it is not there.
pub(super) fn load_or_make(path: &Path) -> Result<Keypair, KeyError> {
    let io = |reason| KeyError::Io {
        path: path.to_owned(),
        reason,
    };
    let damaged = || KeyError::Damaged {
        path: path.to_owned(),
    };
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path).map_err(io)?,
        Err(error) => return Err(io(error)),
    };
    let mut secret: [u8; 32] = hex::decode(text.trim_ascii())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(damaged)?;
    Keypair::ed25519_from_bytes(&mut secret).map_err(|_| damaged())
}

/// Writes a new key that only the owner can read, and returns the file's text.
fn make(path: &Path) -> io::Result<Vec<u8>> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    let text = format!("{}\n", hex::encode(secret));
    let new = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    Ok(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_stays_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        let first = load_or_make(&path).unwrap().public();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(load_or_make(&path).unwrap().public(), first);
        std::fs::remove_file(&path).unwrap();
        assert_ne!(load_or_make(&path).unwrap().public(), first);
    }

    #[test]
    fn a_damaged_key_is_told_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("node.key");
        for damaged in ["", "beef", &"x".repeat(64), &"0".repeat(66)] {
            std::fs::write(&path, damaged).unwrap();
            let error = load_or_make(&path).unwrap_err().to_string();
            assert!(error.contains("64 hexadecimal digits"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
        }
    }
}
