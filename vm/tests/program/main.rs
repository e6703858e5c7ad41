//! The program `cairn-vm` as a user meets it: what it prints, and its exit codes.

#![cfg(test)]

mod disasm;
mod run;
mod statetest;

use std::process::Command;

/// What the program printed and how it ended.
#[derive(Debug)]
struct Ran {
    stdout: String,
    stderr: String,
    code: Option<i32>,
}

impl Ran {
    /// The lines of its output.
    fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// The lines of its output, each of which is a JSON value.
    fn json(&self) -> Vec<serde_json::Value> {
        let lines = self.stdout.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Runs the program.
fn cairn_vm(arguments: &[&str]) -> Ran {
    let mut program = Command::new(env!("CARGO_BIN_EXE_cairn-vm"));
    program.env_remove("CAIRN_JSON").env_remove("CAIRN_THREADS");
    let output = program.args(arguments).output().unwrap();
    Ran {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

#[test]
fn help_teaches_with_examples() {
    let main = cairn_vm(&["--help"]);
    assert_eq!(main.code, Some(0));
    for verb in ["statetest", "run", "disasm"] {
        assert!(
            main.stdout.contains(&format!("cairn-vm {verb} ")),
            "{}",
            main.stdout
        );
        let help = cairn_vm(&[verb, "--help"]);
        assert_eq!(help.code, Some(0));
        assert!(
            help.stdout
                .contains(&format!("Examples:\n  cairn-vm {verb} ")),
            "{}",
            help.stdout
        );
    }
}

#[test]
fn a_command_line_without_sense_is_a_usage_error() {
    let cases = [
        &[][..],
        &["dance"],
        &["statetest"],
        &["run"],
        &["disasm"],
        &["run", "--code", "00", "--gas", "-1"],
    ];
    for arguments in cases {
        let ran = cairn_vm(arguments);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(!ran.stderr.is_empty());
    }
}
