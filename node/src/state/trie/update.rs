//! From the keys that changed to the new root and the inner nodes to write.

use alloy_primitives::B256;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};
use rayon::prelude::*;

use super::fold::{self, Folded, groups};
use super::inner::{Child, Inner};
use super::{BUCKET_MAX, Leaf, LeafReader, TrieSource};
use crate::store::StoreError;

/// Changed keys from which the 16 subtrees below the root are worked on in
/// parallel; below it the hand-over costs more than it saves.
const PARALLEL_FROM: usize = 64;

/// The outcome of [`update`].
#[derive(Debug, PartialEq, Eq)]
pub struct TrieUpdate {
    /// The new root.
    pub root: B256,
    /// Inner nodes to write, by path; `None` deletes.
    pub writes: Vec<(Nibbles, Option<Vec<u8>>)>,
}

/// The trie of `source` after the leaves at `keys` (ascending, distinct) changed.
pub fn update<S: TrieSource>(source: &S, keys: &[B256]) -> Result<TrieUpdate, StoreError> {
    let mut updater = Updater::new(source);
    let subtree = match source.inner(&Nibbles::new())? {
        Some(root) if keys.len() >= PARALLEL_FROM => {
            updater.inner_in_parallel(Inner::decode(&root)?, keys)?
        }
        Some(root) => updater.inner(Nibbles::new(), Inner::decode(&root)?, keys)?,
        None => updater.rebuild(Nibbles::new())?,
    };
    let root = subtree.folded().map_or(EMPTY_ROOT_HASH, Folded::root);
    Ok(TrieUpdate {
        root,
        writes: updater.writes,
    })
}

/// What an updated subtree has become.
enum Subtree {
    Empty,
    Bucket { leaves: u8, top: Folded },
    Inner { top: Folded },
}

impl Subtree {
    fn folded(&self) -> Option<&Folded> {
        match self {
            Self::Empty => None,
            Self::Bucket { top, .. } | Self::Inner { top } => Some(top),
        }
    }

    fn child(&self) -> Child {
        match self {
            Self::Empty => Child::Empty,
            Self::Bucket { leaves, top } => Child::Bucket {
                leaves: *leaves,
                reference: top.reference(),
            },
            Self::Inner { top } => Child::Inner {
                reference: top.reference(),
            },
        }
    }
}

struct Updater<'a, S> {
    source: &'a S,
    leaves: Box<dyn LeafReader + 'a>,
    writes: Vec<(Nibbles, Option<Vec<u8>>)>,
}

impl<'a, S: TrieSource> Updater<'a, S> {
    fn new(source: &'a S) -> Self {
        Self {
            source,
            leaves: source.leaves(),
            writes: Vec::new(),
        }
    }

    /// Updates the subtree below the inner node at `path`.
    fn inner(
        &mut self,
        path: Nibbles,
        mut inner: Inner,
        keys: &[B256],
    ) -> Result<Subtree, StoreError> {
        let mut updated = Vec::with_capacity(16);
        for (nibble, keys) in groups(keys, path.len(), |key| *key) {
            let subtree = self.child(extended(&path, nibble), &inner, nibble, keys)?;
            inner.children[usize::from(nibble)] = subtree.child();
            updated.push((nibble, subtree));
        }
        self.finish(path, inner, updated)
    }

    /// The same for the root, one task for each child.
    fn inner_in_parallel(
        &mut self,
        mut inner: Inner,
        keys: &[B256],
    ) -> Result<Subtree, StoreError> {
        let tasks: Vec<_> = groups(keys, 0, |key| *key).collect();
        let source = self.source;
        let done: Vec<_> = tasks
            .into_par_iter()
            .map(|(nibble, keys)| {
                let mut updater = Updater::new(source);
                let path = extended(&Nibbles::new(), nibble);
                let subtree = updater.child(path, &inner, nibble, keys)?;
                Ok((nibble, subtree, updater.writes))
            })
            .collect::<Result<_, StoreError>>()?;
        let mut updated = Vec::with_capacity(16);
        for (nibble, subtree, writes) in done {
            inner.children[usize::from(nibble)] = subtree.child();
            self.writes.extend(writes);
            updated.push((nibble, subtree));
        }
        self.finish(Nibbles::new(), inner, updated)
    }

    fn child(
        &mut self,
        path: Nibbles,
        parent: &Inner,
        nibble: u8,
        keys: &[B256],
    ) -> Result<Subtree, StoreError> {
        match parent.children[usize::from(nibble)] {
            Child::Inner { .. } => {
                let inner = self.source.inner(&path)?.ok_or_else(|| {
                    StoreError::corrupt(format!("the trie has no inner node at {path:?}"))
                })?;
                self.inner(path, Inner::decode(&inner)?, keys)
            }
            Child::Empty | Child::Bucket { .. } => self.rebuild(path),
        }
    }

    /// Writes an inner node whose children are up to date, or drops it when a
    /// bucket serves.
    fn finish(
        &mut self,
        path: Nibbles,
        inner: Inner,
        updated: Vec<(u8, Subtree)>,
    ) -> Result<Subtree, StoreError> {
        if inner.is_empty() {
            self.writes.push((path, None));
            return Ok(Subtree::Empty);
        }
        // Half a bucket, so that a subtree at the limit does not change its form
        // with every block.
        if inner.bucket_leaves().is_some_and(|n| n <= BUCKET_MAX / 2) {
            self.writes.push((path, None));
            return self.rebuild(path);
        }
        let top = match inner.only_child() {
            None => Folded::Branch {
                extension: Nibbles::new(),
                branch: inner.branch(),
            },
            Some(nibble) => {
                // What this very update wrote is not in the source yet.
                let subtree = updated.into_iter().find(|(other, _)| *other == nibble);
                let top = match subtree {
                    Some((_, Subtree::Bucket { top, .. } | Subtree::Inner { top })) => top,
                    _ => self.fold(extended(&path, nibble))?,
                };
                top.prepend(nibble)
            }
        };
        self.writes.push((path, Some(inner.encode())));
        Ok(Subtree::Inner { top })
    }

    /// The top of an unchanged, non-empty subtree.
    fn fold(&mut self, path: Nibbles) -> Result<Folded, StoreError> {
        let Some(inner) = self.source.inner(&path)? else {
            let leaves = self.leaves.below(&path)?;
            if leaves.is_empty() {
                return Err(StoreError::corrupt(format!("no leaves below {path:?}")));
            }
            return Ok(fold::leaves(path.len(), &leaves));
        };
        let inner = Inner::decode(&inner)?;
        match inner.only_child() {
            Some(nibble) => Ok(self.fold(extended(&path, nibble))?.prepend(nibble)),
            None => Ok(Folded::Branch {
                extension: Nibbles::new(),
                branch: inner.branch(),
            }),
        }
    }

    fn rebuild(&mut self, path: Nibbles) -> Result<Subtree, StoreError> {
        let leaves = self.leaves.below(&path)?;
        Ok(self.build(path, &leaves))
    }

    fn build(&mut self, path: Nibbles, leaves: &[Leaf]) -> Subtree {
        match u8::try_from(leaves.len()) {
            Ok(0) => Subtree::Empty,
            Ok(count) if leaves.len() <= BUCKET_MAX => Subtree::Bucket {
                leaves: count,
                top: fold::leaves(path.len(), leaves),
            },
            _ => self.build_inner(path, leaves),
        }
    }

    fn build_inner(&mut self, path: Nibbles, leaves: &[Leaf]) -> Subtree {
        let mut inner = Inner::default();
        let mut last = None;
        for (nibble, group) in groups(leaves, path.len(), |leaf| leaf.key) {
            let subtree = self.build(extended(&path, nibble), group);
            inner.children[usize::from(nibble)] = subtree.child();
            last = Some((nibble, subtree));
        }
        let top = match (inner.only_child(), last) {
            (Some(nibble), Some((_, Subtree::Bucket { top, .. } | Subtree::Inner { top }))) => {
                top.prepend(nibble)
            }
            _ => Folded::Branch {
                extension: Nibbles::new(),
                branch: inner.branch(),
            },
        };
        self.writes.push((path, Some(inner.encode())));
        Subtree::Inner { top }
    }
}

fn extended(path: &Nibbles, nibble: u8) -> Nibbles {
    let mut path = *path;
    path.push(nibble);
    path
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use alloy_trie::HashBuilder;
    use proptest::prelude::*;

    #[derive(Default)]
    struct Map {
        leaves: BTreeMap<B256, Vec<u8>>,
        inner: BTreeMap<Nibbles, Vec<u8>>,
    }

    struct MapReader<'a>(&'a Map);

    impl TrieSource for Map {
        fn inner(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(self.inner.get(path).cloned())
        }

        fn leaves(&self) -> Box<dyn LeafReader + '_> {
            Box::new(MapReader(self))
        }
    }

    impl LeafReader for MapReader<'_> {
        fn below(&mut self, prefix: &Nibbles) -> Result<Vec<Leaf>, StoreError> {
            let all = self.0.leaves.iter();
            let below = all.filter(|(key, _)| Nibbles::unpack(key).starts_with(prefix));
            Ok(below
                .map(|(key, value)| Leaf {
                    key: *key,
                    value: value.clone(),
                })
                .collect())
        }
    }

    impl Map {
        fn apply(&mut self, changes: &BTreeMap<B256, Option<Vec<u8>>>) -> B256 {
            for (key, value) in changes {
                match value {
                    Some(value) => self.leaves.insert(*key, value.clone()),
                    None => self.leaves.remove(key),
                };
            }
            let keys: Vec<_> = changes.keys().copied().collect();
            let update = update(self, &keys).unwrap();
            for (path, node) in update.writes {
                match node {
                    Some(node) => self.inner.insert(path, node),
                    None => self.inner.remove(&path),
                };
            }
            update.root
        }

        /// The oracle: alloy-trie's builder over all leaves.
        fn expected_root(&self) -> B256 {
            let mut builder = HashBuilder::default();
            for (key, value) in &self.leaves {
                builder.add_leaf(Nibbles::unpack(key), value);
            }
            builder.root()
        }
    }

    /// Keys that collide in many leading nibbles, as an attacker would grind them,
    /// beside keys that are spread evenly.
    fn key() -> impl Strategy<Value = B256> {
        let crowded = (0u8..3, 0u8..4, any::<u8>()).prop_map(|(shift, head, tail)| {
            let mut key = B256::repeat_byte(0x77);
            key[usize::from(shift) * 15] = head;
            key[31] = tail;
            key
        });
        prop_oneof![crowded, any::<[u8; 32]>().prop_map(B256::from)]
    }

    fn changes() -> impl Strategy<Value = BTreeMap<B256, Option<Vec<u8>>>> {
        let value = prop::option::weighted(0.6, prop::collection::vec(any::<u8>(), 1..80));
        prop::collection::btree_map(key(), value, 1..200)
    }

    proptest! {
        #[test]
        fn root_and_stored_nodes_equal_a_trie_built_anew(rounds in prop::collection::vec(changes(), 1..6)) {
            let mut map = Map::default();
            for mut changes in rounds {
                // Touch what exists as well, or deletions would hardly happen.
                let existing: Vec<_> = map.leaves.keys().copied().step_by(2).collect();
                for key in existing {
                    changes.entry(key).or_insert(None);
                }
                prop_assert_eq!(map.apply(&changes), map.expected_root());
            }
            let all = map.leaves.keys().map(|key| (*key, None)).collect();
            prop_assert_eq!(map.apply(&all), EMPTY_ROOT_HASH);
            prop_assert!(map.inner.is_empty(), "inner nodes are left: {:?}", map.inner);
        }
    }
}
