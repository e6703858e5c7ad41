//! An inner node as it is stored: 16 children, each with its reference.

use alloy_trie::TrieMask;
use alloy_trie::nodes::RlpNode;

use super::fold;
use crate::store::StoreError;

/// What stands below one nibble.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Child {
    /// Nothing.
    #[default]
    Empty,
    /// Up to [`super::BUCKET_MAX`] leaves, found in the flat state.
    Bucket { leaves: u8, reference: RlpNode },
    /// An inner node, stored one nibble deeper.
    Inner { reference: RlpNode },
}

/// An inner node. On disk: for each child that is not empty, in order, one byte
/// nibble, one byte number of leaves (0: inner node), one byte length, reference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Inner {
    pub(super) children: [Child; 16],
}

impl Inner {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16 * 36);
        for (nibble, child) in (0u8..).zip(&self.children) {
            let (leaves, reference) = match child {
                Child::Empty => continue,
                Child::Bucket { leaves, reference } => (*leaves, reference),
                Child::Inner { reference } => (0, reference),
            };
            let length = u8::try_from(reference.len()).expect("a reference has at most 33 bytes");
            bytes.extend([nibble, leaves, length]);
            bytes.extend_from_slice(reference);
        }
        bytes
    }

    pub(super) fn decode(mut bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = || StoreError::corrupt("an inner node of the trie");
        let mut inner = Self::default();
        while let [nibble, leaves, length, rest @ ..] = bytes {
            let (reference, rest) = rest
                .split_at_checked(usize::from(*length))
                .ok_or_else(damaged)?;
            let reference = RlpNode::from_raw_rlp(reference).map_err(|_| damaged())?;
            let child = inner
                .children
                .get_mut(usize::from(*nibble))
                .ok_or_else(damaged)?;
            *child = match leaves {
                0 => Child::Inner { reference },
                &leaves => Child::Bucket { leaves, reference },
            };
            bytes = rest;
        }
        bytes.is_empty().then_some(inner).ok_or_else(damaged)
    }

    /// The nibble of the only child, if there is exactly one.
    pub(super) fn only_child(&self) -> Option<u8> {
        let mut occupied = (0u8..)
            .zip(&self.children)
            .filter(|(_, child)| **child != Child::Empty);
        let (nibble, _) = occupied.next()?;
        occupied.next().is_none().then_some(nibble)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.children.iter().all(|child| *child == Child::Empty)
    }

    /// Number of leaves below, if no child is an inner node.
    pub(super) fn bucket_leaves(&self) -> Option<usize> {
        self.children.iter().try_fold(0, |sum, child| match child {
            Child::Empty => Some(sum),
            Child::Bucket { leaves, .. } => Some(sum + usize::from(*leaves)),
            Child::Inner { .. } => None,
        })
    }

    /// The reference of the branch that this node is; it has two children or more.
    pub(super) fn branch(&self) -> RlpNode {
        let mut references = Vec::with_capacity(16);
        let mut occupied = TrieMask::default();
        for (nibble, child) in (0u8..).zip(&self.children) {
            if let Child::Bucket { reference, .. } | Child::Inner { reference } = child {
                references.push(reference.clone());
                occupied.set_bit(nibble);
            }
        }
        fold::branch(&references, occupied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, hex};

    #[test]
    fn bytes_on_disk_are_pinned() {
        let mut inner = Inner::default();
        inner.children[2] = Child::Inner {
            reference: RlpNode::word_rlp(&B256::repeat_byte(0xee)),
        };
        inner.children[15] = Child::Bucket {
            leaves: 3,
            reference: RlpNode::from_raw_rlp(&[0xc1, 0x80]).unwrap(),
        };
        let bytes = inner.encode();
        let expected = format!("020021a0{}0f0302c180", "ee".repeat(32));
        assert_eq!(hex::encode(&bytes), expected);
        assert_eq!(Inner::decode(&bytes).unwrap(), inner);
        assert!(Inner::decode(&bytes[..bytes.len() - 1]).is_err());
        assert!(Inner::decode(&[16, 0, 0]).is_err());
    }
}
