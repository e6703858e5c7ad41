//! An answer that grows, up to a limit.

use jsonrpsee::core::JsonRawValue;
use serde::Serialize;

use crate::rpc::error::RpcError;

/// Longest trace, in bytes: what the server sends at most, less the frame of the answer.
const MAX_BYTES: usize = (64 << 20) - 1024;

/// JSON text, and what is still to become a part of it.
#[derive(Debug)]
pub struct Output {
    text: String,
    promised: usize,
    limit: usize,
}

impl Default for Output {
    fn default() -> Self {
        Self::with_limit(MAX_BYTES)
    }
}

impl Output {
    /// An empty one that may grow up to `limit` bytes.
    pub fn with_limit(limit: usize) -> Self {
        let (text, promised) = (String::new(), 0);
        Self {
            text,
            promised,
            limit,
        }
    }

    /// Counts what a tracer keeps and will write in the end, so that it does not keep more than
    /// can be answered.
    pub fn promise(&mut self, bytes: usize) {
        self.promised = self.promised.saturating_add(bytes);
    }

    /// What was promised is being written.
    pub fn settle(&mut self) {
        self.promised = 0;
    }

    /// Whether there is more than can be answered.
    pub fn is_full(&self) -> bool {
        self.text.len().saturating_add(self.promised) > self.limit
    }

    /// Length so far.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Appends JSON text.
    pub fn push(&mut self, json: &str) {
        self.text.push_str(json);
    }

    /// Appends a value.
    pub fn json(&mut self, value: &impl Serialize) {
        let json = serde_json::to_string(value);
        self.push(&json.expect("tracers write strings, numbers, and maps with text as keys"));
    }

    /// Puts JSON text at `place`, in front of what is there.
    pub fn insert(&mut self, place: usize, json: &str) {
        self.text.insert_str(place, json);
    }

    /// The whole answer.
    ///
    /// # Errors
    /// If it is longer than allowed.
    pub fn finish(self) -> Result<Box<JsonRawValue>, RpcError> {
        if self.is_full() {
            return Err(too_large());
        }
        JsonRawValue::from_string(self.text).map_err(|error| RpcError::Internal(error.to_string()))
    }
}

/// The error for a trace that cannot be answered.
pub fn too_large() -> RpcError {
    RpcError::refused(
        "the trace is larger than 64 MiB: trace single transactions, leave out memory, stack or \
         storage, set 'limit', or use a tracer that says less",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_what_was_written() {
        let mut output = Output::with_limit(20);
        output.push("]");
        output.insert(0, "[");
        assert_eq!(output.len(), 2);
        output.promise(18);
        assert!(!output.is_full());
        output.promise(1);
        assert!(output.is_full());
        output.settle();
        assert_eq!(output.finish().unwrap().get(), "[]");
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let mut output = Output::with_limit(4);
        output.json(&"abc");
        assert_eq!(output.finish().unwrap_err(), too_large());
    }
}
