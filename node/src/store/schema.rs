//! Every column of the database: what its keys and values are.
//!
//! Numbers in keys are big-endian, so that the order of keys is the order of
//! heights. "State key" means `keccak256(address)`, and for storage
//! `keccak256(address) ‖ keccak256(slot)`: the flat state lies in the order of
//! the Merkle-Patricia trie, which lets the trie read its leaves from it.

/// Version of everything this module describes. A directory with another
/// version is refused, never reinterpreted.
pub const SCHEMA_VERSION: u32 = 1;

/// A column family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// block hash → header, seal, work, skipped, issued, burned, size.
    Headers,
    /// height ‖ block hash → RLP list of transaction envelopes.
    Bodies,
    /// height ‖ block hash → receipts with their senders; canonical blocks only.
    Receipts,
    /// height ‖ block hash → receipts of a block that left the best chain, as long as it is kept.
    SideReceipts,
    /// height → bloom of all logs of the block; only where a block of the best chain has any.
    Blooms,
    /// height → block hash of the best chain.
    Canonical,
    /// height ‖ block hash of each block off the best chain → size of its body.
    Side,
    /// transaction hash → height ‖ index, on the best chain.
    TxIndex,
    /// state key → account, at the tip.
    Accounts,
    /// state key → non-zero word, at the tip.
    Storage,
    /// code hash → code.
    Code,
    /// trie ‖ path → inner node, at the tip (see `state::trie`).
    Trie,
    /// height ‖ block hash → every state key the block changed, with its before-image.
    Changes,
    /// state key ‖ height → account before that block.
    AccountHistory,
    /// state key ‖ height → word before that block.
    StorageHistory,
    /// block hash → why it is invalid, and under which version of the rules.
    Invalid,
    /// transaction hash → envelope of a pending transaction.
    Pool,
    /// name → schema version, genesis hash, tip, intent, history floor.
    Meta,
}

impl Column {
    /// All columns.
    pub const ALL: [Column; 18] = [
        Column::Headers,
        Column::Bodies,
        Column::Receipts,
        Column::SideReceipts,
        Column::Blooms,
        Column::Canonical,
        Column::Side,
        Column::TxIndex,
        Column::Accounts,
        Column::Storage,
        Column::Code,
        Column::Trie,
        Column::Changes,
        Column::AccountHistory,
        Column::StorageHistory,
        Column::Invalid,
        Column::Pool,
        Column::Meta,
    ];

    /// The name on disk.
    pub const fn name(self) -> &'static str {
        match self {
            Column::Headers => "headers",
            Column::Bodies => "bodies",
            Column::Receipts => "receipts",
            Column::SideReceipts => "side_receipts",
            Column::Blooms => "blooms",
            Column::Canonical => "canonical",
            Column::Side => "side",
            Column::TxIndex => "tx_index",
            Column::Accounts => "accounts",
            Column::Storage => "storage",
            Column::Code => "code",
            Column::Trie => "trie",
            Column::Changes => "changes",
            Column::AccountHistory => "account_history",
            Column::StorageHistory => "storage_history",
            Column::Invalid => "invalid",
            Column::Pool => "pool",
            Column::Meta => "meta",
        }
    }
}

/// Keys of [`Column::Meta`].
pub mod meta {
    /// [`super::SCHEMA_VERSION`] as 4 bytes.
    pub const SCHEMA: &[u8] = b"schema";
    /// Genesis hash: which chain the directory belongs to.
    pub const GENESIS: &[u8] = b"genesis";
    /// Hash of the executed tip that flat state and trie stand at.
    pub const TIP: &[u8] = b"tip";
    /// Hash of the tip that a reorganization in several batches began at; present
    /// only while one is under way.
    pub const INTENT: &[u8] = b"intent";
    /// First height whose state can still be answered, 8 bytes; absent: 0.
    pub const HISTORY_FLOOR: &[u8] = b"history_floor";
}
