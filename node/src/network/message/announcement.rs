//! A new block in few bytes: header, seal and a short id for each transaction, which
//! the receiver finds in its own pool.

use std::hash::Hasher;

use alloy_primitives::{B256, Bytes};
use alloy_rlp::{RlpDecodable, RlpEncodable};
use cairn_genesis::{Header, Seal};
use siphasher::sip::SipHasher24;

use super::{MessageError, at_most, decode_all};
use crate::network::limits::MAX_SHORT_IDS;

/// Bytes of a short id. Trades bytes of each announcement against blocks that are fetched
/// whole because two transactions share one: with 10,000 in the pool and 1,000 in the block
/// one in a hundred thousand.
pub const SHORT_ID_BYTES: usize = 5;

/// The id of a transaction within one block's announcement.
pub type ShortId = [u8; SHORT_ID_BYTES];

/// A block as it is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// The ledger's header.
    pub header: Header,
    /// The proof of work.
    pub seal: Seal,
    /// One for each transaction, in order.
    pub short_ids: Vec<ShortId>,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Fields {
    header: Bytes,
    seal: Bytes,
    short_ids: Bytes,
}

/// Makes the short ids of one block: SipHash-2-4 of the transaction hash, keyed by the
/// block's hash. Nobody can prepare two transactions with the same id for a block that has
/// not been mined yet.
#[derive(Debug, Clone, Copy)]
pub struct ShortIds(SipHasher24);

impl ShortIds {
    /// The ids of the block with this hash.
    pub fn new(block: B256) -> Self {
        // The front of a block hash is zeros: its proof of work.
        let key: [u8; 16] = block[16..].try_into().expect("half of 32 bytes");
        Self(SipHasher24::new_with_key(&key))
    }

    /// The id of a transaction.
    pub fn of(&self, transaction: B256) -> ShortId {
        let mut hasher = self.0;
        hasher.write(transaction.as_slice());
        let [a, b, c, d, e, ..] = hasher.finish().to_le_bytes();
        [a, b, c, d, e]
    }
}

impl Announcement {
    /// The announcement of the block with this header, whose transactions have these hashes.
    pub fn new(header: Header, seal: Seal, transactions: impl Iterator<Item = B256>) -> Self {
        let ids = ShortIds::new(cairn_genesis::block_hash(&header, &seal));
        Self {
            header,
            seal,
            short_ids: transactions.map(|hash| ids.of(hash)).collect(),
        }
    }

    /// The bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        alloy_rlp::encode(Fields {
            header: self.header.encode().into(),
            seal: self.seal.encode().into(),
            short_ids: self.short_ids.concat().into(),
        })
    }

    /// Reads what [`Announcement::encode`] wrote.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let fields: Fields = decode_all(bytes)?;
        let (short_ids, rest) = fields.short_ids.as_chunks::<SHORT_ID_BYTES>();
        if !rest.is_empty() {
            let bytes = fields.short_ids.len();
            return Err(MessageError::ShortIds { bytes });
        }
        at_most("short ids", short_ids.len(), MAX_SHORT_IDS)?;
        Ok(Self {
            header: Header::decode(&fields.header)?,
            seal: Seal::decode(&fields.seal)?,
            short_ids: short_ids.to_vec(),
        })
    }
}
