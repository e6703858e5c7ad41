//! How key files reach the disk and come back: whole or not at all, and for the owner alone.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::error::KeystoreError;

/// Largest file that is read. A key file has about 500 bytes.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// Room for a usual file: text that outgrows its buffer leaves a copy behind that nobody erases.
const USUAL_FILE_BYTES: usize = 4 << 10;

/// Files of the directory in the order of their names, without hidden and backup files. A
/// directory that does not exist has none.
pub(super) fn files(directory: &Path, max: usize) -> Result<Vec<PathBuf>, KeystoreError> {
    let failed = |error| io_error("read the directory", directory, error);
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if is_candidate(&path) {
            paths.push(path);
        }
        if paths.len() > max {
            return Err(KeystoreError::TooManyFiles {
                path: directory.to_owned(),
                max,
            });
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_candidate(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| !name.starts_with('.') && !name.ends_with('~')) && path.is_file()
}

/// Reads a text file of limited size. What is read may be a secret, so it is erased after use.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, KeystoreError> {
    let failed = |error| io_error("read", path, error);
    let file = File::open(path).map_err(failed)?;
    let mut text = Zeroizing::new(String::with_capacity(USUAL_FILE_BYTES));
    let read = file
        .take(MAX_FILE_BYTES.saturating_add(1))
        .read_to_string(&mut text);
    if text.len() as u64 > MAX_FILE_BYTES {
        return Err(KeystoreError::TooLarge {
            path: path.to_owned(),
            max_bytes: MAX_FILE_BYTES,
        });
    }
    read.map_err(failed)?;
    Ok(text)
}

/// Writes a file so that after a crash it is there whole or as it was before: a temporary file in
/// the same directory, synced, renamed, and the directory synced.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), KeystoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    create_private_directory(directory)
        .map_err(|error| io_error("create the directory", directory, error))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.tmp"));
    let written = write_private(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // Best effort: the error that matters is the first one.
        let _ = fs::remove_file(&temporary);
        return Err(io_error("write", path, error));
    }
    sync_directory(directory).map_err(|error| io_error("sync the directory", directory, error))
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a rename survive a power cut. Only Unix can open a directory for that.
fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}

fn io_error(action: &'static str, path: &Path, error: io::Error) -> KeystoreError {
    KeystoreError::Io {
        action,
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_look() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/key");
        write(&path, b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&root.path().join("a/b")), 0o700);
        assert_eq!(mode(&root.path().join("a")), 0o700);
    }

    #[test]
    fn a_failed_write_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("key");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("occupied"), b"").unwrap();
        assert!(matches!(write(&path, b"x"), Err(KeystoreError::Io { .. })));
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }

    #[test]
    fn reads_no_more_than_the_limit() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("big");
        let limit = usize::try_from(MAX_FILE_BYTES).unwrap();
        fs::write(&path, vec![b' '; limit]).unwrap();
        assert_eq!(read(&path).unwrap().len(), limit);
        fs::write(&path, vec![b' '; limit + 1]).unwrap();
        assert!(matches!(read(&path), Err(KeystoreError::TooLarge { .. })));
    }

    #[test]
    fn hidden_and_backup_files_do_not_count() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b", "a", ".hidden", "a~"] {
            fs::write(root.path().join(name), b"").unwrap();
        }
        let names: Vec<_> = files(root.path(), 2).unwrap();
        assert_eq!(names, [root.path().join("a"), root.path().join("b")]);
        assert!(matches!(
            files(root.path(), 1),
            Err(KeystoreError::TooManyFiles { .. })
        ));
    }
}
