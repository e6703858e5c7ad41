//! Everything a database claims, checked again: what `cairn db check` does.

use alloy_primitives::{B256, Bloom, U256};
use alloy_rlp::Encodable;
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles};
use cairn_genesis::check::after_parent::{self, Parent};
use cairn_genesis::check::alone;
use cairn_genesis::{ChainSpec, Receipt, receipts_root, transactions_root};

use super::record::{HeaderRecord, block_bloom};
use super::view;
use crate::state::{Account, Pending};
use crate::store::{Column, Reader, StoreError, keys};

/// What was checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Audit {
    /// Height of the tip.
    pub height: u64,
    /// Blocks from the tip to genesis.
    pub blocks: u64,
    /// Transactions in them.
    pub transactions: u64,
    /// Accounts at the tip.
    pub accounts: u64,
    /// Storage words at the tip.
    pub slots: u64,
}

/// What an audit found.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database contradicts itself or the rules.
    #[error("block {number}: {what}")]
    Block {
        /// Height.
        number: u64,
        /// What is wrong.
        what: String,
    },
    /// The state is not what the tip commits to.
    #[error("the state at the tip: {0}")]
    State(String),
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Walks from the tip to genesis and recomputes the state root from every account.
/// `progress` is told how many blocks are left, now and then.
///
/// # Errors
/// The first contradiction.
pub fn audit(
    reader: &dyn Reader,
    spec: &ChainSpec,
    mut progress: impl FnMut(u64),
) -> Result<Audit, AuditError> {
    const PROGRESS_EVERY: u64 = 1_000;
    let tip = view::tip(reader)?.ok_or_else(|| StoreError::corrupt("the database has no tip"))?;
    let mut audit = Audit {
        height: tip.number(),
        ..Audit::default()
    };
    state(reader, &tip, &mut audit)?;
    let mut record = tip;
    loop {
        let number = record.number();
        let fail = |what: String| AuditError::Block { number, what };
        audit.transactions += body(reader, &record, fail)?;
        audit.blocks += 1;
        if number == 0 {
            break;
        }
        let parent = view::header(reader, record.header.parent_hash)?;
        link(spec, &parent, &record).map_err(fail)?;
        if number.is_multiple_of(PROGRESS_EVERY) {
            progress(number);
        }
        record = parent;
    }
    match record.hash == spec.genesis_hash() {
        true => Ok(audit),
        false => Err(AuditError::Block {
            number: 0,
            what: format!(
                "genesis is {}, the spec says {}",
                record.hash,
                spec.genesis_hash()
            ),
        }),
    }
}

/// Proof of work, and every rule between a block and its parent.
fn link(spec: &ChainSpec, parent: &HeaderRecord, record: &HeaderRecord) -> Result<(), String> {
    let sealed = alone::header(spec, &record.header, &record.seal).map_err(|e| e.to_string())?;
    if sealed.hash() != record.hash {
        return Err(format!(
            "stored under {}, its hash is {}",
            record.hash,
            sealed.hash()
        ));
    }
    let context = Parent {
        hash: parent.hash,
        header: &parent.header,
        skipped: parent.skipped,
        work: parent.work,
    };
    let linked = after_parent::header(spec, &context, &sealed).map_err(|e| e.to_string())?;
    if (linked.work, linked.skipped) != (record.work, record.skipped) {
        return Err("work or skipped time is not the parent's plus its own".into());
    }
    let issued = parent.issued.saturating_add(spec.subsidy(record.number()));
    if record.issued != issued {
        return Err(format!("issued is {}, not {issued}", record.issued));
    }
    Ok(())
}

/// Body, receipts and indexes; returns the number of transactions.
fn body(
    reader: &dyn Reader,
    record: &HeaderRecord,
    fail: impl Fn(String) -> AuditError,
) -> Result<u64, AuditError> {
    let (number, hash) = (record.number(), record.hash);
    if view::canonical_hash(reader, number)? != Some(hash) {
        return Err(fail(format!("{hash} is not in the canonical index")));
    }
    let transactions = view::body(reader, number, hash)?;
    let receipts = view::receipts(reader, number, hash)?;
    if transactions_root(&transactions) != record.header.transactions_root {
        return Err(fail("the transactions do not match the header".into()));
    }
    let bloom = reader.get(Column::Blooms, &keys::height(number))?;
    let found = bloom.map_or(Ok(Bloom::ZERO), |bytes| view::parse_bloom(&bytes))?;
    if found != block_bloom(&receipts) {
        return Err(fail("the bloom is not that of the logs".into()));
    }
    let receipts: Vec<Receipt> = receipts.into_iter().map(|record| record.receipt).collect();
    if receipts_root(&receipts) != record.header.receipts_root {
        return Err(fail("the receipts do not match the header".into()));
    }
    for (index, transaction) in (0u32..).zip(&transactions) {
        let location = reader.get(Column::TxIndex, transaction.hash().as_slice())?;
        if location.as_deref() != Some(&keys::location(number, index)) {
            return Err(fail(format!(
                "transaction {} is not indexed",
                transaction.hash()
            )));
        }
    }
    Ok(transactions.len() as u64)
}

/// The state root from nothing but the flat state, the root that the stored inner
/// nodes give, and the supply.
fn state(reader: &dyn Reader, tip: &HeaderRecord, audit: &mut Audit) -> Result<(), AuditError> {
    let mut builder = HashBuilder::default();
    let mut supply = U256::ZERO;
    let mut cursor = reader.cursor(Column::Accounts);
    cursor.seek(&[])?;
    while let Some((key, value)) = cursor.entry() {
        let key = keys::parse_hash(key)?;
        let account = Account::decode(value)?;
        let (root, slots) = storage_root(reader, key)?;
        if root != account.storage_root {
            return Err(AuditError::State(format!(
                "the storage of account {key} has root {root}, the account says {}",
                account.storage_root
            )));
        }
        builder.add_leaf(Nibbles::unpack(key), &account.leaf());
        supply = supply.saturating_add(account.balance);
        audit.accounts += 1;
        audit.slots += slots;
        cursor.advance()?;
    }
    let expected = tip.header.state_root;
    let root = builder.root();
    if root != expected {
        return Err(AuditError::State(format!(
            "the accounts have root {root}, the tip's header says {expected}"
        )));
    }
    let stored = Pending::default().update_root(reader, &[], &[])?;
    if stored != expected {
        return Err(AuditError::State(format!(
            "the stored trie has root {stored}, the tip's header says {expected}"
        )));
    }
    let expected = tip.issued.saturating_sub(tip.burned);
    if supply != expected {
        return Err(AuditError::State(format!(
            "all balances sum up to {supply} wei, issued less burned is {expected}"
        )));
    }
    Ok(())
}

fn storage_root(reader: &dyn Reader, account: B256) -> Result<(B256, u64), StoreError> {
    let mut cursor = reader.cursor(Column::Storage);
    cursor.seek(account.as_slice())?;
    let mut builder = HashBuilder::default();
    let mut slots = 0;
    while let Some((key, value)) = cursor.entry() {
        let Some(slot) = key.strip_prefix(account.as_slice()) else {
            break;
        };
        let mut leaf = Vec::new();
        value.encode(&mut leaf);
        builder.add_leaf(Nibbles::unpack(keys::parse_hash(slot)?), &leaf);
        slots += 1;
        cursor.advance()?;
    }
    let root = match slots {
        0 => EMPTY_ROOT_HASH,
        _ => builder.root(),
    };
    Ok((root, slots))
}
