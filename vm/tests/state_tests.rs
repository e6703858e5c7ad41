//! Ethereum's state tests for Osaka, all of them, through the program that runs them.
//!
//! They are not part of this repository: `CAIRN_VECTORS` says where the directory of vectors is.

#![cfg(test)]

use std::{
    fs::File,
    io::{self, Write},
    path::PathBuf,
    process::Command,
};

use ruzstd::decoding::StreamingDecoder;

/// Cases in the archive.
const CASES: usize = 6_147;

/// The fixtures, unpacked; `None`, said aloud, if the archive is not there.
fn fixtures() -> Option<tempfile::TempDir> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors");
    let vectors =
        std::env::var_os("CAIRN_VECTORS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let archive = vectors.join("evm-osaka.tar.zst");
    let Ok(file) = File::open(&archive) else {
        // Not by `eprintln`: the test runner would swallow what a passing test prints.
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: state tests: there is no {}; CAIRN_VECTORS names its directory",
            archive.display()
        );
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(StreamingDecoder::new(file).unwrap())
        .unpack(folder.path())
        .unwrap();
    Some(folder)
}

#[test]
fn every_state_test_passes_in_every_translation() {
    let Some(folder) = fixtures() else {
        return;
    };
    for options in [&[][..], &["--thorough"], &["--by-instruction"]] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_cairn-vm"));
        program.env_remove("CAIRN_JSON");
        let output = program
            .arg("statetest")
            .args(options)
            .arg(folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text, format!("{CASES} passed, 0 failed\n"), "{options:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{options:?}");
        assert!(output.status.success(), "{options:?}");
    }
}
