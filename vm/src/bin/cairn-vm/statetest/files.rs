//! Which files to run.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::Failure;

/// The files themselves, and all *.json below folders, in the order of their names.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            search(path, &mut files).map_err(|error| Failure::Read {
                path: path.clone(),
                error,
            })?;
            if files.len() == before {
                return Err(Failure::NoFixtures(path.clone()));
            }
        } else if path.exists() {
            files.push(path.clone());
        } else {
            return Err(Failure::NoSuchPath(path.clone()));
        }
    }
    Ok(files)
}

fn search(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links to folders are not followed: they might lead in a circle. Hidden ones hold no fixtures but indexes.
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if entry.file_type()?.is_dir() {
            search(&path, files)?;
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
            && path.is_file()
        {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_searched_in_order_and_hidden_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in [
            "b/2.json",
            "b/1.json",
            "a.json",
            "b/notes.txt",
            ".meta/index.json",
        ] {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), "{}").unwrap();
        }
        let expected = ["a.json", "b/1.json", "b/2.json"].map(|name| root.join(name));
        assert_eq!(find(&[root.into()]).unwrap(), expected);
        assert_eq!(
            find(&[root.join("b/notes.txt")]).unwrap(),
            [root.join("b/notes.txt")]
        );
    }

    #[test]
    fn what_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let empty = find(&[folder.path().into()]).unwrap_err();
        assert!(
            empty
                .to_string()
                .starts_with("there is no *.json file below "),
            "{empty}"
        );
        let missing = find(&["/nowhere".into()]).unwrap_err();
        assert_eq!(missing.to_string(), "there is no file or folder /nowhere");
    }
}
