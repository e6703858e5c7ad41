//! What is in a directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use alloy_primitives::{B256, keccak256};

/// Every file below `directory` with a hash of its content; but not RocksDB's own diary (`LOG`),
/// which says when somebody looked.
pub fn snapshot(directory: &Path) -> BTreeMap<PathBuf, B256> {
    let mut files = BTreeMap::new();
    collect(directory, &mut files);
    files
}

fn collect(directory: &Path, files: &mut BTreeMap<PathBuf, B256>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            collect(&path, files);
        } else if !name.starts_with("LOG") {
            let content = fs::read(&path).unwrap();
            files.insert(path, keccak256(content));
        }
    }
}
