//! The tracer without a name: every instruction, with the machine before it.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_vm::opcode;
use cairn_vm::trace::Step;
use cairn_vm::{Outcome, Status};
use serde::{Deserialize, Serialize, Serializer};

use super::base::item;
use super::config::or_default;
use super::price::Priced;
use super::recorder::{Recorder, Scene};
use crate::store::StoreError;

/// What to show and what not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StructOptions {
    /// Whether to show memory.
    #[serde(deserialize_with = "or_default")]
    pub enable_memory: bool,
    /// Whether not to show the stack.
    #[serde(deserialize_with = "or_default")]
    pub disable_stack: bool,
    /// Whether not to show what SLOAD and SSTORE have touched.
    #[serde(deserialize_with = "or_default")]
    pub disable_storage: bool,
    /// Whether to show the output of the last call.
    #[serde(deserialize_with = "or_default")]
    pub enable_return_data: bool,
    /// Bytes of entries after which no more are shown; 0 for all.
    #[serde(deserialize_with = "or_default")]
    pub limit: i64,
}

/// The tracer.
pub struct StructLogger {
    options: StructOptions,
    /// Where in the output the trace begins.
    start: usize,
    /// Bytes of all entries so far.
    written: i64,
    /// What each contract has read and written.
    storage: HashMap<Address, BTreeMap<B256, B256>>,
}

/// One instruction; geth's names, in geth's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    pc: u64,
    op: Cow<'static, str>,
    gas: u64,
    gas_cost: u64,
    depth: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<&'a [U256]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_data: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Words<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage: Option<&'a BTreeMap<B256, B256>>,
    #[serde(skip_serializing_if = "is_zero")]
    refund: u64,
}

fn is_zero(refund: &u64) -> bool {
    *refund == 0
}

/// Memory, as a list of words.
struct Words<'a>(&'a [u8]);

impl Serialize for Words<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.chunks(32).map(B256::right_padding_from))
    }
}

/// What frames the entries.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    gas: u64,
    failed: bool,
    return_value: Bytes,
}

impl StructLogger {
    /// A trace at the end of what the scene's output holds.
    pub fn new(options: StructOptions, scene: &Scene<'_>) -> Self {
        Self {
            options,
            start: scene.output.len(),
            written: 0,
            storage: HashMap::new(),
        }
    }

    /// Notes what an SLOAD finds or an SSTORE leaves.
    fn touch(&mut self, scene: &Scene<'_>, step: &Step<'_>) -> Result<(), StoreError> {
        let slot = item(step, 0);
        let value = match step.opcode {
            opcode::SLOAD if !step.stack.is_empty() => scene.base.slot(step, slot)?.current,
            opcode::SSTORE if step.stack.len() >= 2 => item(step, 1),
            _ => return Ok(()),
        };
        let slots = self.storage.entry(step.address).or_default();
        slots.insert(slot.into(), value.into());
        Ok(())
    }

    /// All that the running contract has touched, where the instruction touches something.
    fn touched(&self, step: &Step<'_>) -> Option<&BTreeMap<B256, B256>> {
        let items = match step.opcode {
            opcode::SLOAD => 1,
            opcode::SSTORE => 2,
            _ => return None,
        };
        let shown = !self.options.disable_storage && step.stack.len() >= items;
        self.storage.get(&step.address).filter(|_| shown)
    }
}

impl Recorder for StructLogger {
    fn step(
        &mut self,
        scene: &mut Scene<'_>,
        step: &Step<'_>,
        priced: &Priced,
    ) -> Result<(), StoreError> {
        let options = self.options;
        if options.limit != 0 && self.written > options.limit {
            return Ok(());
        }
        if !options.disable_storage {
            self.touch(scene, step)?;
        }
        let show = |wanted: bool, bytes: &[u8]| wanted && !bytes.is_empty();
        let return_data = show(options.enable_return_data, step.return_data);
        let entry = Entry {
            pc: step.pc,
            op: name(step.opcode),
            gas: step.gas,
            gas_cost: priced.cost,
            depth: step.depth,
            error: priced.fault.map(|fault| fault.to_string()),
            stack: (!options.disable_stack).then_some(step.stack),
            return_data: return_data.then(|| Bytes::copy_from_slice(step.return_data)),
            memory: show(options.enable_memory, step.memory).then_some(Words(step.memory)),
            storage: self.touched(step),
            refund: priced.refund.max(0).unsigned_abs(),
        };
        if self.written > 0 {
            scene.output.push(",");
        }
        let before = scene.output.len();
        scene.output.json(&entry);
        let len = scene.output.len() - before;
        self.written = self.written.saturating_add_unsigned(len as u64);
        Ok(())
    }

    fn finish(self: Box<Self>, scene: &mut Scene<'_>, outcome: &Outcome) -> Result<(), StoreError> {
        let has_output = !matches!(outcome.status, Status::Halt(_));
        let head = Head {
            gas: outcome.gas_used,
            failed: !outcome.status.is_success(),
            return_value: if has_output {
                outcome.output.clone()
            } else {
                Bytes::new()
            },
        };
        let head = serde_json::to_string(&head).expect("it is made of numbers and a string");
        let head = head.trim_end_matches('}');
        scene
            .output
            .insert(self.start, &format!("{head},\"structLogs\":["));
        scene.output.push("]}");
        Ok(())
    }
}

/// geth calls PREVRANDAO by the name that it had before the merge.
fn name(byte: u8) -> Cow<'static, str> {
    match byte {
        opcode::PREVRANDAO => "DIFFICULTY".into(),
        _ => opcode::name(byte),
    }
}
