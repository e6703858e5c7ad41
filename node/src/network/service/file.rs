//! Small JSON files beside the database: read at the start, replaced as a whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;

/// Least time between two writes of one file. What changed since is lost by a kill -9.
const BETWEEN_WRITES: Duration = Duration::from_secs(2);

/// Reads a file. One that is missing is empty; one that does not parse is put aside, since what
/// these files hold is useful but never needed.
pub(super) fn load<T: DeserializeOwned + Default>(path: &Path) -> io::Result<T> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(T::default()),
        text => text?,
    };
    match serde_json::from_slice(&text) {
        Ok(value) => Ok(value),
        Err(error) => {
            let aside = path.with_extension("damaged");
            fs::rename(path, &aside)?;
            tracing::warn!(
                "{} is damaged ({error}); it begins anew, and the old one is now {}",
                path.display(),
                aside.display()
            );
            Ok(T::default())
        }
    }
}

/// Replaces a file: whoever reads it finds the old one or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Writes one file again and again, never twice at the same time and not too often.
#[derive(Debug)]
pub(super) struct Saver {
    path: PathBuf,
    last: Option<Instant>,
    running: Option<JoinHandle<()>>,
}

impl Saver {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            last: None,
            running: None,
        }
    }

    /// Whether a write may begin now.
    pub(super) fn is_free(&self) -> bool {
        let busy = self.running.as_ref().is_some_and(|run| !run.is_finished());
        !busy
            && self
                .last
                .is_none_or(|last| last.elapsed() >= BETWEEN_WRITES)
    }

    /// Begins to write, on a thread that may wait for the disk.
    pub(super) fn save(&mut self, value: &impl Serialize) {
        self.last = Some(Instant::now());
        let (path, bytes) = (self.path.clone(), to_json(value));
        self.running = Some(tokio::task::spawn_blocking(move || write(&path, &bytes)));
    }

    /// Writes for the last time, and waits for it.
    pub(super) async fn finish(self, value: &impl Serialize) {
        if let Some(running) = self.running {
            // It has told of its failure.
            let _ = running.await;
        }
        let (path, bytes) = (self.path, to_json(value));
        let _ = tokio::task::spawn_blocking(move || write(&path, &bytes)).await;
    }
}

fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("texts and numbers");
    bytes.push(b'\n');
    bytes
}

fn write(path: &Path, bytes: &[u8]) {
    if let Err(error) = replace(path, bytes) {
        tracing::warn!("cannot write {}: {error}", path.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.json");
        assert_eq!(load::<Vec<u32>>(&path).unwrap(), Vec::<u32>::new());
        replace(&path, b"[1, 2]").unwrap();
        assert_eq!(load::<Vec<u32>>(&path).unwrap(), [1, 2]);
        replace(&path, b"[1, 2").unwrap();
        assert_eq!(load::<Vec<u32>>(&path).unwrap(), Vec::<u32>::new());
        assert!(!path.exists());
        let aside = fs::read(dir.path().join("list.damaged")).unwrap();
        assert_eq!(aside, b"[1, 2");
    }

    #[tokio::test]
    async fn writes_are_rare_and_the_last_one_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.json");
        let mut saver = Saver::new(path.clone());
        assert!(saver.is_free());
        saver.save(&[1]);
        assert!(!saver.is_free());
        saver.finish(&[1, 2]).await;
        assert_eq!(load::<Vec<u32>>(&path).unwrap(), [1, 2]);
    }
}
