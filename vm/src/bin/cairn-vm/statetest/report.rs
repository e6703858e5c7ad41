//! What is printed about cases.

use std::io::{self, Write};

use serde_json::json;

use super::case::{FORK, Verdict};

/// The sum of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    pub passed: usize,
    pub failed: usize,
    /// Cases with blob transactions.
    pub skipped: usize,
}

impl Sum {
    pub fn add(&mut self, verdict: &Verdict) {
        if verdict.passed() {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }

    /// The line that a run ends with.
    pub fn line(&self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }
}

/// A failure, for people.
pub fn text(verdict: &Verdict, output: &mut impl Write) -> io::Result<()> {
    if verdict.passed() {
        return Ok(());
    }
    let (data, gas, value) = (
        verdict.indexes.data,
        verdict.indexes.gas,
        verdict.indexes.value,
    );
    writeln!(
        output,
        "FAILED {} (data {data}, gas {gas}, value {value})",
        verdict.name
    )?;
    writeln!(output, "  file: {}", verdict.file)?;
    match &verdict.outcome {
        Some(outcome) => writeln!(
            output,
            "  ended with {}, {} gas used",
            verdict.status, outcome.gas_used
        )?,
        None => writeln!(output, "  {}", verdict.status)?,
    }
    for failure in &verdict.failures {
        writeln!(output, "  {failure}")?;
    }
    Ok(())
}

/// A case, for machines.
pub fn json(verdict: &Verdict, output: &mut impl Write) -> io::Result<()> {
    let (data, gas, value) = (
        verdict.indexes.data,
        verdict.indexes.gas,
        verdict.indexes.value,
    );
    let line = json!({
        "name": verdict.name,
        "file": verdict.file,
        "fork": FORK,
        "indexes": {"data": data, "gas": gas, "value": value},
        "pass": verdict.passed(),
        "status": verdict.status,
        "gasUsed": verdict.outcome.as_ref().map(|outcome| outcome.gas_used),
        "stateRoot": verdict.state_root,
        "failures": verdict.failures,
    });
    writeln!(output, "{line}")
}

/// The sum, for people: the last line is always the same.
pub fn text_sum(sum: &Sum, output: &mut impl Write) -> io::Result<()> {
    if sum.skipped > 0 {
        writeln!(
            output,
            "{} skipped: the machine has no blob transactions",
            sum.skipped
        )?;
    }
    writeln!(output, "{}", sum.line())
}

/// The sum, for machines.
pub fn json_sum(sum: &Sum, output: &mut impl Write) -> io::Result<()> {
    let Sum {
        passed,
        failed,
        skipped,
    } = sum;
    writeln!(
        output,
        "{}",
        json!({"passed": passed, "failed": failed, "skipped": skipped})
    )
}

/// EIP-3155's summary, which ends a trace.
pub fn trace_summary(verdict: &Verdict, output: &mut impl Write) -> io::Result<()> {
    let outcome = verdict.outcome.as_ref();
    let line = json!({
        "stateRoot": verdict.state_root,
        "output": outcome.map(|outcome| &outcome.output),
        "gasUsed": outcome.map(|outcome| format!("{:#x}", outcome.gas_used)),
        "pass": verdict.passed(),
        "fork": FORK,
        "status": verdict.status,
        "name": verdict.name,
    });
    writeln!(output, "{line}")
}
