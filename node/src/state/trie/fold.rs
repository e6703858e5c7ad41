//! Folding sorted leaves into the node that stands for them: pure functions.

use alloy_primitives::{B256, keccak256};
use alloy_trie::nodes::{BranchNodeRef, ExtensionNodeRef, LeafNodeRef, RlpNode};
use alloy_trie::{Nibbles, TrieMask};

use super::Leaf;

/// The top of a non-empty subtree, before its parent's context decides what the
/// node is: under a branch it becomes a reference, under a single path it grows
/// one nibble.
#[derive(Debug, Clone)]
pub(super) enum Folded {
    /// One leaf with the rest of its path.
    Leaf { path: Nibbles, value: Vec<u8> },
    /// A branch, below an extension unless that is empty.
    Branch { extension: Nibbles, branch: RlpNode },
}

impl Folded {
    /// The same subtree seen from one nibble higher.
    pub(super) fn prepend(self, nibble: u8) -> Self {
        let grow = |path: &Nibbles| Nibbles::from_nibbles_unchecked([nibble]).join(path);
        match self {
            Self::Leaf { path, value } => Self::Leaf {
                path: grow(&path),
                value,
            },
            Self::Branch { extension, branch } => Self::Branch {
                extension: grow(&extension),
                branch,
            },
        }
    }

    /// How a branch above refers to it (yellow paper, appendix D: the RLP itself
    /// below 32 bytes, else its hash).
    pub(super) fn reference(&self) -> RlpNode {
        let mut rlp = Vec::with_capacity(128);
        match self {
            Self::Leaf { path, value } => LeafNodeRef::new(path, value).rlp(&mut rlp),
            Self::Branch { extension, branch } if extension.is_empty() => branch.clone(),
            Self::Branch { extension, branch } => {
                ExtensionNodeRef::new(extension, branch).rlp(&mut rlp)
            }
        }
    }

    /// The root hash of a trie that consists of this subtree.
    pub(super) fn root(&self) -> B256 {
        let reference = self.reference();
        reference
            .as_hash()
            .unwrap_or_else(|| keccak256(reference.as_slice()))
    }
}

/// Folds sorted leaves that share their first `depth` nibbles; there is at least one.
pub(super) fn leaves(depth: usize, leaves: &[Leaf]) -> Folded {
    if let [leaf] = leaves {
        return Folded::Leaf {
            path: Nibbles::unpack(leaf.key).slice(depth..),
            value: leaf.value.clone(),
        };
    }
    let first = Nibbles::unpack(leaves[0].key);
    let last = Nibbles::unpack(leaves[leaves.len() - 1].key);
    let fork = first.common_prefix_length(&last);
    let mut children = Vec::with_capacity(16);
    let mut occupied = TrieMask::default();
    let mut rlp = Vec::with_capacity(128);
    for (nibble, group) in groups(leaves, fork, |leaf| leaf.key) {
        children.push(match group {
            // Nearly all of the work in a bucket: no copy of the value.
            [leaf] => {
                let path = Nibbles::unpack(leaf.key).slice(fork + 1..);
                rlp.clear();
                LeafNodeRef::new(&path, &leaf.value).rlp(&mut rlp)
            }
            _ => self::leaves(fork + 1, group).reference(),
        });
        occupied.set_bit(nibble);
    }
    Folded::Branch {
        extension: first.slice(depth..fork),
        branch: branch(&children, occupied),
    }
}

/// The reference of a branch with these children and no value.
pub(super) fn branch(children: &[RlpNode], occupied: TrieMask) -> RlpNode {
    BranchNodeRef::new(children, occupied).rlp(&mut Vec::with_capacity(532))
}

/// Splits what is sorted by key into runs with the same nibble at `depth`.
pub(super) fn groups<T>(
    sorted: &[T],
    depth: usize,
    key: impl Fn(&T) -> B256 + Copy,
) -> impl Iterator<Item = (u8, &[T])> {
    sorted
        .chunk_by(move |a, b| nibble(&key(a), depth) == nibble(&key(b), depth))
        .map(move |group| (nibble(&key(&group[0]), depth), group))
}

fn nibble(key: &B256, depth: usize) -> u8 {
    let byte = key[depth / 2];
    if depth.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 0x0f
    }
}
