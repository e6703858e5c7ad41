//! `4byteTracer`: which functions are called, told by the first four bytes of calldata and the
//! length of the rest.

use std::collections::BTreeMap;

use alloy_primitives::hex;
use cairn_vm::Outcome;
use cairn_vm::trace::Enter;

use super::recorder::{Recorder, Scene};
use crate::store::StoreError;

/// Bytes that an entry takes in the answer, rounded up.
const ENTRY_BYTES: usize = 32;

/// The tracer: how often each was called.
#[derive(Default)]
pub struct FourByte(BTreeMap<String, u64>);

impl Recorder for FourByte {
    fn enter(&mut self, scene: &mut Scene<'_>, enter: &Enter<'_>) -> Result<(), StoreError> {
        if enter.kind.is_creation() || enter.is_precompile {
            return Ok(());
        }
        if let Some((selector, rest)) = enter.input.split_first_chunk::<4>() {
            let key = format!("{}-{}", hex::encode_prefixed(selector), rest.len());
            let count = self.0.entry(key).or_insert_with(|| {
                scene.output.promise(ENTRY_BYTES);
                0
            });
            *count += 1;
        }
        Ok(())
    }

    fn finish(self: Box<Self>, scene: &mut Scene<'_>, _: &Outcome) -> Result<(), StoreError> {
        scene.output.settle();
        scene.output.json(&self.0);
        Ok(())
    }
}
