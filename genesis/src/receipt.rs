//! Receipts: what a transaction left behind (EIP-658, EIP-2718).

use alloy_primitives::{Bloom, Log};
use alloy_rlp::{BufMut, Encodable};

use crate::codec::{self, DecodeError};

pub use alloy_primitives::logs_bloom;

/// The receipt of one transaction.
///
/// Its encoding is `type ‖ rlp[status, cumulative_gas_used, bloom, logs]`; for a legacy transaction
/// the list alone (R-ENC-6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Type of the transaction's envelope; 0 for legacy.
    pub tx_type: u8,
    /// Whether the outermost call succeeded.
    pub success: bool,
    /// Gas used by the block's transactions up to and including this one.
    pub cumulative_gas_used: u64,
    /// What the contracts logged, in order.
    pub logs: Vec<Log>,
}

impl Receipt {
    /// The bloom of addresses and topics of the logs.
    pub fn bloom(&self) -> Bloom {
        logs_bloom(&self.logs)
    }

    /// The canonical encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode_to(&mut bytes);
        bytes
    }

    /// Appends the canonical encoding.
    pub(crate) fn encode_to(&self, out: &mut Vec<u8>) {
        if self.tx_type != 0 {
            out.put_u8(self.tx_type);
        }
        let bloom = self.bloom();
        let payload_length = self.success.length()
            + self.cumulative_gas_used.length()
            + bloom.length()
            + self.logs.length();
        let header = alloy_rlp::Header {
            list: true,
            payload_length,
        };
        header.encode(out);
        self.success.encode(out);
        self.cumulative_gas_used.encode(out);
        bloom.encode(out);
        self.logs.encode(out);
    }

    /// Decodes a receipt.
    ///
    /// # Errors
    /// If the bytes are not the canonical encoding of a receipt to the last byte, or its bloom is
    /// not that of its logs.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let tx_type = match bytes.first() {
            Some(&first) if (1..0x80).contains(&first) => {
                bytes = &bytes[1..];
                first
            }
            _ => 0,
        };
        let payload = &mut codec::list(&mut bytes, "receipt")?;
        codec::end_of_input(bytes)?;
        let success = codec::field(payload, "status")?;
        let cumulative_gas_used = codec::field(payload, "cumulative_gas_used")?;
        let bloom: Bloom = codec::field(payload, "bloom")?;
        let logs = codec::field(payload, "logs")?;
        codec::end_of_list(payload, "receipt")?;
        let receipt = Self {
            tx_type,
            success,
            cumulative_gas_used,
            logs,
        };
        if receipt.bloom() != bloom {
            return Err(DecodeError::BloomMismatch);
        }
        Ok(receipt)
    }
}
