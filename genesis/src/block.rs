//! The block: `rlp[Header, Seal, [Transaction…]]`.

use alloy_primitives::B256;
use alloy_rlp::{BufMut, Encodable, length_of_length};

use crate::{
    codec::{self, DecodeError},
    header::{self, Header},
    seal::{Seal, block_hash},
    transaction::{Transaction, TransactionError},
};

/// No chain may allow larger blocks (R-SPEC-9): a block must fit a frame of the network and be
/// checked within a fraction of the spacing.
pub const MAX_BLOCK_BYTES: usize = 8 * 1024 * 1024;

/// A block as it travels and as it is stored. Nothing is checked but its encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The ledger's header.
    pub header: Header,
    /// The proof of work.
    pub seal: Seal,
    /// The transactions in the order of execution.
    pub transactions: Vec<Transaction>,
}

impl Block {
    /// Decodes a block of at most `max_bytes`.
    ///
    /// # Errors
    /// If the input is longer, or is not the canonical encoding of a block to the last byte.
    pub fn decode(bytes: &[u8], max_bytes: usize) -> Result<Self, DecodeError> {
        if bytes.len() > max_bytes {
            return Err(DecodeError::TooLong {
                got: bytes.len(),
                limit: max_bytes,
            });
        }
        let rest = &mut &bytes[..];
        let payload = &mut codec::list(rest, "block")?;
        codec::end_of_input(rest)?;
        let block = Self {
            header: Header::decode_from(payload)?,
            seal: Seal::decode_from(payload)?,
            transactions: decode_transactions(payload)?,
        };
        codec::end_of_list(payload, "block")?;
        Ok(block)
    }

    /// The canonical encoding.
    pub fn encode(&self) -> Vec<u8> {
        encode(&self.header, &self.seal, &self.transactions)
    }

    /// The hash of the block (R-SEAL-5), in display order.
    pub fn hash(&self) -> B256 {
        block_hash(&self.header, &self.seal)
    }

    /// Length of the encoding, in bytes.
    pub fn size_bytes(&self) -> usize {
        size_bytes(&self.header, &self.seal, &self.transactions)
    }
}

/// Encodes the block made of these parts.
pub(crate) fn encode<T: AsRef<Transaction>>(
    header: &Header,
    seal: &Seal,
    transactions: &[T],
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_bytes(header, seal, transactions));
    let body_bytes = items_bytes(transactions);
    list_header(parts_bytes(header, seal, body_bytes)).encode(&mut bytes);
    Encodable::encode(header, &mut bytes);
    Encodable::encode(seal, &mut bytes);
    list_header(body_bytes).encode(&mut bytes);
    for transaction in transactions {
        encode_item(transaction.as_ref(), &mut bytes);
    }
    bytes
}

/// Length of the encoding of the block made of these parts, in bytes.
pub(crate) fn size_bytes<T: AsRef<Transaction>>(
    header: &Header,
    seal: &Seal,
    transactions: &[T],
) -> usize {
    list_header(parts_bytes(header, seal, items_bytes(transactions))).length_with_payload()
}

fn parts_bytes(header: &Header, seal: &Seal, body_bytes: usize) -> usize {
    header::encoded_length(header)
        + seal.encoded_length()
        + list_header(body_bytes).length_with_payload()
}

fn items_bytes<T: AsRef<Transaction>>(transactions: &[T]) -> usize {
    let item = |transaction: &T| item_bytes(transaction.as_ref());
    transactions.iter().map(item).sum()
}

fn list_header(payload_length: usize) -> alloy_rlp::Header {
    alloy_rlp::Header {
        list: true,
        payload_length,
    }
}

/// R-ENC-5: "A typed transaction is a byte string that holds its envelope, a legacy one the list
/// itself."
fn encode_item(transaction: &Transaction, out: &mut dyn BufMut) {
    if transaction.is_legacy() {
        out.put_slice(transaction.envelope());
    } else {
        transaction.envelope()[..].encode(out);
    }
}

fn item_bytes(transaction: &Transaction) -> usize {
    let envelope = transaction.envelope().len();
    if transaction.is_legacy() {
        envelope
    } else {
        // An envelope has more than one byte, so it always has a string header.
        envelope + length_of_length(envelope)
    }
}

fn decode_transactions(payload: &mut &[u8]) -> Result<Vec<Transaction>, DecodeError> {
    let items = &mut codec::list(payload, "transactions")?;
    let mut transactions = Vec::new();
    while !items.is_empty() {
        let index = transactions.len();
        let transaction =
            decode_item(items).map_err(|source| DecodeError::Transaction { index, source })?;
        transactions.push(transaction);
    }
    Ok(transactions)
}

fn decode_item(items: &mut &[u8]) -> Result<Transaction, TransactionError> {
    let start = *items;
    let header = alloy_rlp::Header::decode(items)?;
    // The header has been checked to announce no more bytes than there are.
    let (payload, rest) = items.split_at(header.payload_length);
    *items = rest;
    if header.list {
        return Transaction::decode(&start[..start.len() - rest.len()]);
    }
    if payload.first().is_some_and(|first| *first >= 0xc0) {
        return Err(TransactionError::LegacyInString);
    }
    Transaction::decode(payload)
}
