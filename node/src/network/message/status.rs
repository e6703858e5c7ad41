//! Who a peer is and where it stands; the handshake.

use alloy_primitives::{B256, U256, keccak256};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use cairn_genesis::ChainSpec;

use super::{MessageError, at_most, decode_all};
use crate::chain::HeaderRecord;
use crate::network::limits::{MAX_CLIENT_BYTES, PROTOCOL_VERSION};

/// Rules that a status may list, and the bytes of one's name and value.
const MAX_RULES: usize = 32;
const MAX_RULE_BYTES: usize = 256;

/// Longer values are told by their digest.
const MAX_VALUE_BYTES: usize = 160;

/// What a node is, which does not change while it runs.
#[derive(Debug, Clone)]
pub struct Identity {
    chain_id: u64,
    genesis: B256,
    pub(super) rules: Vec<Rule>,
    /// Heights of activations, ascending.
    activations: Vec<u64>,
    client: String,
}

/// One consensus field of a chain specification, as people read it.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Rule {
    /// Its key in the specification.
    pub name: String,
    /// Its value, or the digest of a long one.
    pub value: String,
}

/// Which activations a node knows, as in EIP-2124: what has been activated up to its
/// head, and the height of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct ForkId {
    /// First four bytes of keccak256(genesis hash ‖ every height passed, 8 bytes each).
    pub hash: [u8; 4],
    /// Height of the next activation; 0 if none is known.
    pub next: u64,
}

/// What a node says first, and again whenever it is asked.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Status {
    /// Newest protocol version that it speaks.
    pub protocol: u32,
    /// Chain id of its transactions.
    pub chain_id: u64,
    /// Hash of its genesis block.
    pub genesis: B256,
    /// Every consensus field of its spec; the genesis hash commits to them.
    pub rules: Vec<Rule>,
    /// Its activations.
    pub fork: ForkId,
    /// Hash of its tip.
    pub head: B256,
    /// Height of its tip.
    pub number: u64,
    /// Work of its best chain.
    pub work: U256,
    /// Name and version of the program.
    pub client: String,
}

/// The first field in which two nodes do not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its {field} is {theirs}, ours is {ours}")]
pub struct Mismatch {
    /// Name of the field.
    pub field: String,
    /// Its value here.
    pub ours: String,
    /// Its value there.
    pub theirs: String,
}

impl Identity {
    /// The identity of a node on `spec`. Takes a moment for a spec with many accounts.
    pub fn new(spec: &ChainSpec, genesis: B256, client: &str) -> Self {
        let mut activations: Vec<u64> = spec.activations.values().copied().collect();
        activations.sort_unstable();
        activations.dedup();
        Self {
            chain_id: spec.chain_id,
            genesis,
            rules: rules(spec),
            activations,
            client: client[..client.floor_char_boundary(MAX_CLIENT_BYTES)].to_owned(),
        }
    }

    /// What the node says of itself while `tip` is its tip.
    pub fn status(&self, tip: &HeaderRecord) -> Status {
        Status {
            protocol: PROTOCOL_VERSION,
            chain_id: self.chain_id,
            genesis: self.genesis,
            rules: self.rules.clone(),
            fork: self.fork_id(tip.number()),
            head: tip.hash,
            number: tip.number(),
            work: tip.work,
            client: self.client.clone(),
        }
    }

    /// Whether a node that says `theirs` can be on our chain while we stand at `number`:
    /// the first field that is not as it must be.
    pub fn mismatch(&self, number: u64, theirs: &Status) -> Option<Mismatch> {
        let (ours, got) = (self.chain_id, theirs.chain_id);
        differs("chain id", ours, got)
            .or_else(|| self.rule_mismatch(&theirs.rules))
            .or_else(|| differs("genesis hash", self.genesis, theirs.genesis))
            .or_else(|| self.fork_mismatch(number, theirs.fork))
    }

    fn rule_mismatch(&self, theirs: &[Rule]) -> Option<Mismatch> {
        let value = |rules: &[Rule], name: &str| {
            let rule = rules.iter().find(|rule| rule.name == name);
            rule.map_or("absent".to_owned(), |rule| rule.value.clone())
        };
        self.rules.iter().chain(theirs).find_map(|rule| {
            let name = &rule.name;
            differs(name, value(&self.rules, name), value(theirs, name))
        })
    }

    fn fork_mismatch(&self, number: u64, theirs: ForkId) -> Option<Mismatch> {
        let fits = (0..=self.activations.len()).any(|passed| {
            let next = self.activations.get(passed).copied();
            let same = self.fork_digest(passed) == theirs.hash;
            // It stands before what we have passed: then it must know what comes next.
            let behind = next.is_some_and(|next| next <= number);
            let knows = next == Some(theirs.next);
            same && if behind {
                knows
            } else {
                theirs.next == 0 || theirs.next > number
            }
        });
        (!fits).then(|| Mismatch {
            field: "set of activations".into(),
            ours: self.fork_id(number).to_string(),
            theirs: theirs.to_string(),
        })
    }

    pub(super) fn fork_id(&self, number: u64) -> ForkId {
        let passed = self.activations.partition_point(|height| *height <= number);
        ForkId {
            hash: self.fork_digest(passed),
            next: self.activations.get(passed).copied().unwrap_or(0),
        }
    }

    fn fork_digest(&self, passed: usize) -> [u8; 4] {
        let mut preimage = self.genesis.to_vec();
        for height in &self.activations[..passed] {
            preimage.extend(height.to_be_bytes());
        }
        let digest = keccak256(preimage);
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

impl std::fmt::Display for ForkId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hash = alloy_primitives::hex::encode(self.hash);
        write!(f, "{hash} (next at height {})", self.next)
    }
}

fn differs<T: ToString + PartialEq>(field: &str, ours: T, theirs: T) -> Option<Mismatch> {
    (ours != theirs).then(|| Mismatch {
        field: field.to_owned(),
        ours: ours.to_string(),
        theirs: theirs.to_string(),
    })
}

/// What the genesis hash commits to, field by field.
fn rules(spec: &ChainSpec) -> Vec<Rule> {
    const NO_RULES: [&str; 3] = ["name", "boot_nodes", "activations"];
    let json: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&spec.to_json()).expect("a specification is a JSON object");
    let fields = json.into_iter();
    let fields = fields.filter(|(name, _)| !NO_RULES.contains(&name.as_str()));
    let rule = |(name, value): (String, serde_json::Value)| {
        let text = value.to_string();
        let value = match text.len() {
            0..=MAX_VALUE_BYTES => text,
            _ => format!("keccak256 {}", keccak256(text)),
        };
        Rule { name, value }
    };
    fields.map(rule).collect()
}

impl Status {
    /// The bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        alloy_rlp::encode(self)
    }

    /// Reads what [`Status::encode`] wrote.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let status: Self = decode_all(bytes)?;
        at_most(
            "bytes of client name",
            status.client.len(),
            MAX_CLIENT_BYTES,
        )?;
        at_most("rules", status.rules.len(), MAX_RULES)?;
        for Rule { name, value } in &status.rules {
            at_most("bytes in a rule", name.len() + value.len(), MAX_RULE_BYTES)?;
        }
        Ok(status)
    }
}
