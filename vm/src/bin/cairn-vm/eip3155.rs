//! A tracer that prints EIP-3155 traces: one JSON object per instruction.
//!
//! A line is printed when the instruction's cost is known: when the next one begins, or the frame ends. As in
//! geth's traces the cost of a call includes the gas that it passes on.

use std::io::{self, Write};

use alloy_primitives::hex;
use cairn_vm::{
    Status,
    gas::CODE_DEPOSIT_BYTE,
    trace::{Enter, Exited, Step, Tracer},
};
use serde_json::{Value, json};

/// The tracer.
pub struct Eip3155<W> {
    output: W,
    frames: Vec<FrameStart>,
    /// An instruction that is running.
    pending: Option<Pending>,
    /// Nobody can be told of it while the machine runs.
    error: Option<io::Error>,
}

struct FrameStart {
    gas: u64,
    is_creation: bool,
}

struct Pending {
    line: Value,
    gas: u64,
}

impl<W: Write> Eip3155<W> {
    pub fn new(output: W) -> Self {
        Self {
            output,
            frames: Vec::new(),
            pending: None,
            error: None,
        }
    }

    /// Ends the trace; the error is the first that writing met.
    pub fn finish(self) -> io::Result<()> {
        self.error.map_or(Ok(()), Err)
    }

    /// Prints the instruction that was running, now that `gas` is left.
    fn complete(&mut self, gas: u64, error: Option<String>) {
        let Some(Pending {
            mut line,
            gas: before,
        }) = self.pending.take()
        else {
            return;
        };
        line["gasCost"] = format!("{:#x}", before.saturating_sub(gas)).into();
        if let Some(error) = error {
            line["error"] = error.into();
        }
        if self.error.is_none() {
            self.error = writeln!(self.output, "{line}").err();
        }
    }
}

impl<W: Write> Tracer for Eip3155<W> {
    const STEPS: bool = true;

    fn step(&mut self, step: &Step<'_>) {
        self.complete(step.gas, None);
        let stack: Vec<String> = step.stack.iter().map(|item| format!("{item:#x}")).collect();
        let line = json!({
            "pc": step.pc,
            "op": step.opcode,
            "gas": format!("{:#x}", step.gas),
            "gasCost": null,
            "memSize": step.memory.len(),
            "stack": stack,
            "depth": step.depth,
            "returnData": hex::encode_prefixed(step.return_data),
            "refund": step.refund,
            "opName": step.name(),
        });
        self.pending = Some(Pending {
            line,
            gas: step.gas,
        });
    }

    fn enter(&mut self, enter: &Enter<'_>) {
        self.complete(enter.caller_gas, None);
        self.frames.push(FrameStart {
            gas: enter.gas,
            is_creation: enter.kind.is_creation(),
        });
    }

    fn exit(&mut self, exit: &Exited<'_>) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let mut left = frame.gas.saturating_sub(exit.gas_used);
        let error = match exit.status {
            Status::Success => {
                // What the new code costs is not part of RETURN.
                let deposited = if frame.is_creation {
                    exit.output.len() as u64
                } else {
                    0
                };
                left += CODE_DEPOSIT_BYTE * deposited;
                None
            }
            Status::Revert => None,
            Status::Halt(halt) => Some(halt.to_string()),
        };
        self.complete(left, error);
    }
}
