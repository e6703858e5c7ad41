//! `callTracer`: the calls of a transaction as a tree.
//!
//! Frames are kept in one list, in the order in which they began, each with its depth. So neither a
//! deep nesting nor its JSON needs recursion.

use alloy_primitives::{Address, B256, Bytes, Log, U64, U256};
use cairn_vm::gas::{CODE_DEPOSIT_BYTE, MAX_CODE_LEN};
use cairn_vm::trace::{Enter, Exited, FrameKind};
use cairn_vm::{Halt, Outcome, Status};
use serde::{Deserialize, Serialize};

use super::config::or_default;
use super::fault::halted;
use super::output::Output;
use super::recorder::{Last, Recorder, Scene, Subject};
use crate::rpc::revert::revert_reason;
use crate::store::StoreError;

/// Bytes that a frame or a log takes in the answer besides its data, rounded up.
const FRAME_BYTES: usize = 512;

/// The options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CallOptions {
    /// Whether to leave out all but the outermost call.
    #[serde(deserialize_with = "or_default")]
    pub only_top_call: bool,
    /// Whether to show logs.
    #[serde(deserialize_with = "or_default")]
    pub with_log: bool,
}

/// The tracer.
pub struct CallTracer {
    options: CallOptions,
    gas_limit: u64,
    logs_before: usize,
    frames: Vec<Frame>,
    /// The frames that run, outermost first; nested ones also where they are not shown.
    open: Vec<Option<usize>>,
}

/// A call or creation.
struct Frame {
    depth: usize,
    kind: &'static str,
    from: Address,
    to: Option<Address>,
    gas: u64,
    gas_used: u64,
    input: Bytes,
    output: Bytes,
    error: Option<String>,
    value: Option<U256>,
    logs: Vec<CallLog>,
    /// Calls that it made so far.
    calls: usize,
}

/// A log; the position says after how many calls of its frame it was written.
#[derive(Serialize)]
struct CallLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    index: U64,
    position: U64,
}

/// A frame in JSON: what comes before its calls…
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    from: Address,
    gas: U64,
    gas_used: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Address>,
    input: &'a Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revert_reason: Option<String>,
}

/// … and after them.
#[derive(Serialize)]
struct Tail<'a> {
    #[serde(skip_serializing_if = "<[CallLog]>::is_empty")]
    logs: &'a [CallLog],
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<U256>,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl CallTracer {
    /// A tracer for `subject`.
    pub fn new(options: CallOptions, subject: &Subject) -> Self {
        Self {
            options,
            gas_limit: subject.gas_limit,
            logs_before: subject.logs_before,
            frames: Vec::new(),
            open: Vec::new(),
        }
    }

    /// Keeps a frame that begins now.
    fn push(&mut self, output: &mut Output, frame: Frame) -> usize {
        output.promise(FRAME_BYTES + 2 * frame.input.len());
        if let Some(parent) = self.running() {
            parent.calls += 1;
        }
        self.frames.push(frame);
        self.frames.len() - 1
    }

    /// The frame that runs, if it is shown.
    fn running(&mut self) -> Option<&mut Frame> {
        let index = *self.open.last()?;
        self.frames.get_mut(index?)
    }

    fn is_shown(&self, depth: usize) -> bool {
        depth == 0 || !self.options.only_top_call
    }
}

impl Recorder for CallTracer {
    fn enter(&mut self, scene: &mut Scene<'_>, enter: &Enter<'_>) -> Result<(), StoreError> {
        let depth = self.open.len();
        let index = self.is_shown(depth).then(|| {
            let frame = Frame {
                depth,
                kind: enter.kind.name(),
                from: enter.from,
                to: Some(enter.to),
                gas: if depth == 0 {
                    self.gas_limit
                } else {
                    enter.gas
                },
                gas_used: 0,
                input: Bytes::copy_from_slice(enter.input),
                output: Bytes::new(),
                error: None,
                // What DELEGATECALL inherits is shown, as in geth.
                value: (enter.kind != FrameKind::StaticCall).then_some(enter.value),
                logs: Vec::new(),
                calls: 0,
            };
            self.push(&mut scene.output, frame)
        });
        self.open.push(index);
        Ok(())
    }

    fn exit(&mut self, scene: &mut Scene<'_>, exit: &Exited<'_>) {
        if let Some(frame) = self.running() {
            frame.end(exit, &scene.last);
            scene.output.promise(2 * frame.output.len());
        }
        self.open.pop();
    }

    fn self_destruct(
        &mut self,
        scene: &mut Scene<'_>,
        contract: Address,
        heir: Address,
        balance: U256,
    ) {
        let depth = self.open.len();
        if self.is_shown(depth) {
            let frame = Frame {
                depth,
                kind: "SELFDESTRUCT",
                from: contract,
                to: Some(heir),
                gas: 0,
                gas_used: 0,
                input: Bytes::new(),
                output: Bytes::new(),
                error: None,
                value: Some(balance),
                logs: Vec::new(),
                calls: 0,
            };
            self.push(&mut scene.output, frame);
        }
    }

    fn log(&mut self, scene: &mut Scene<'_>, log: &Log, index: usize) {
        let index = U64::from(self.logs_before.saturating_add(index));
        if !self.options.with_log {
            return;
        }
        if let Some(frame) = self.running() {
            scene.output.promise(FRAME_BYTES + 2 * log.data.data.len());
            frame.logs.push(CallLog {
                address: log.address,
                topics: log.topics().to_vec(),
                data: log.data.data.clone(),
                index,
                position: U64::from(frame.calls),
            });
        }
    }

    fn finish(
        mut self: Box<Self>,
        scene: &mut Scene<'_>,
        outcome: &Outcome,
    ) -> Result<(), StoreError> {
        scene.output.settle();
        if let Some(outermost) = self.frames.first_mut() {
            outermost.gas_used = outcome.gas_used;
        }
        forget_undone_logs(&mut self.frames);
        write(&self.frames, &mut scene.output);
        Ok(())
    }
}

impl Frame {
    fn end(&mut self, exit: &Exited<'_>, last: &Last) {
        self.gas_used = exit.gas_used;
        self.error = match exit.status {
            Status::Success => None,
            Status::Revert => Some("execution reverted".into()),
            Status::Halt(halt) => Some(broken(halt, last)),
        };
        if !matches!(exit.status, Status::Halt(_)) {
            self.output = Bytes::copy_from_slice(exit.output);
        }
        if self.error.is_some() && self.kind.starts_with("CREATE") {
            self.to = None;
        }
    }

    fn revert_reason(&self) -> Option<String> {
        self.error
            .as_ref()
            .and_then(|_| revert_reason(&self.output))
    }

    fn head(&self) -> Head<'_> {
        Head {
            from: self.from,
            gas: U64::from(self.gas),
            gas_used: U64::from(self.gas_used),
            to: self.to,
            input: &self.input,
            output: Some(&self.output).filter(|output| !output.is_empty()),
            error: self.error.as_deref(),
            revert_reason: self.revert_reason(),
        }
    }

    fn tail(&self) -> Tail<'_> {
        Tail {
            logs: &self.logs,
            value: self.value,
            kind: self.kind,
        }
    }
}

/// Why a frame ended that broke a rule: the instruction's own fault if there is one, and what kept
/// init code that ended well from becoming a contract.
fn broken(halt: Halt, last: &Last) -> String {
    if let Some(fault) = last.fault {
        return fault.to_string();
    }
    let Some((len, gas)) = last.returned else {
        return halted(halt);
    };
    match halt {
        Halt::CodeBeginsWithEf => halted(halt),
        _ if len.saturating_mul(CODE_DEPOSIT_BYTE) > gas => {
            "contract creation code storage out of gas".into()
        }
        _ => format!("max code size exceeded: code size {len} limit {MAX_CODE_LEN}"),
    }
}

/// Takes away the logs of frames that failed, and of all within them.
fn forget_undone_logs(frames: &mut [Frame]) {
    let mut failed: Option<usize> = None;
    for frame in frames {
        failed = failed.filter(|depth| frame.depth > *depth);
        if failed.is_none() && frame.error.is_some() {
            failed = Some(frame.depth);
        }
        if failed.is_some() {
            frame.logs.clear();
        }
    }
}

/// Writes the tree.
fn write(frames: &[Frame], output: &mut Output) {
    let mut open: Vec<Written<'_>> = Vec::new();
    for frame in frames {
        while let Some(done) = open.pop_if(|last| last.frame.depth >= frame.depth) {
            done.close(output);
        }
        if let Some(parent) = open.last_mut() {
            output.push(if parent.has_calls {
                ","
            } else {
                ",\"calls\":["
            });
            parent.has_calls = true;
        }
        let head = json(&frame.head());
        output.push(head.trim_end_matches('}'));
        open.push(Written {
            frame,
            has_calls: false,
        });
    }
    while let Some(done) = open.pop() {
        done.close(output);
    }
}

/// A frame whose head is written.
struct Written<'a> {
    frame: &'a Frame,
    has_calls: bool,
}

impl Written<'_> {
    fn close(&self, output: &mut Output) {
        if self.has_calls {
            output.push("]");
        }
        let tail = json(&self.frame.tail());
        output.push(",");
        output.push(tail.trim_start_matches('{'));
    }
}

fn json(part: &impl Serialize) -> String {
    serde_json::to_string(part).expect("a frame is made of strings, numbers and lists")
}
