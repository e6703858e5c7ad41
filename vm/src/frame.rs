//! What calls and creations have in common: how a frame ends, and the one place where code runs.

use crate::{Halt, Journal, Status, journal::Checkpoint};
use alloy_primitives::Bytes;

/// How a frame ended.
#[derive(Debug)]
pub(crate) struct FrameResult {
    pub status: Status,
    /// Gas returned to the caller; none after a halt.
    pub gas_left: u64,
    pub output: Bytes,
}

impl FrameResult {
    /// The frame took effect.
    pub fn success(gas_left: u64, output: Bytes) -> Self {
        Self {
            status: Status::Success,
            gas_left,
            output,
        }
    }

    /// The frame broke a rule: all its gas is consumed and nothing is returned.
    pub fn halt(halt: Halt) -> Self {
        Self {
            status: Status::Halt(halt),
            gas_left: 0,
            output: Bytes::new(),
        }
    }

    /// Undoes the frame's changes unless it was a success.
    pub fn settle(self, journal: &mut Journal, checkpoint: Checkpoint) -> Self {
        if !self.status.is_success() {
            journal.revert(checkpoint);
        }
        self
    }
}

/// Runs code. Empty code succeeds at once; there is no interpreter for any other.
pub(crate) fn execute(code: &Bytes, gas: u64) -> FrameResult {
    if code.is_empty() {
        FrameResult::success(gas, Bytes::new())
    } else {
        FrameResult::halt(Halt::NoInterpreter)
    }
}
