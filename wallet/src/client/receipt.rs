//! What became of a transaction.

use alloy_primitives::{Address, B256, Bytes, U256};
use serde_json::{Value, json};

use super::{
    Client, RpcError,
    value::{address, bytes, hash, optional_address, quantity_u64, quantity_u128},
};

/// What became of a mined transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Number of its block.
    pub block_number: u64,
    /// Hash of its block.
    pub block_hash: B256,
    /// Whether it did what it should; a failed one has cost its fee only.
    pub success: bool,
    /// Gas that it used.
    pub gas_used: u64,
    /// Price that it paid, wei per gas.
    pub gas_price: u128,
    /// The contract that it created, if it did.
    pub contract: Option<Address>,
    /// What contracts told on the way.
    pub logs: Vec<Log>,
}

/// What a contract told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The contract.
    pub address: Address,
    /// Hashes to find it by: first that of the event's signature, then indexed values.
    pub topics: Vec<B256>,
    /// The other values, encoded.
    pub data: Bytes,
}

impl Receipt {
    /// The fee paid in wei.
    #[must_use]
    pub fn fee(&self) -> U256 {
        U256::from(self.gas_used).saturating_mul(U256::from(self.gas_price))
    }
}

impl Client {
    /// What became of a transaction, or none as long as it is not mined.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn receipt(&self, transaction: B256) -> Result<Option<Receipt>, RpcError> {
        self.ask("eth_getTransactionReceipt", json!([transaction]), receipt)
    }

    /// What became of several transactions.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn receipts(&self, transactions: &[B256]) -> Result<Vec<Option<Receipt>>, RpcError> {
        let method = "eth_getTransactionReceipt";
        let questions: Vec<_> = transactions
            .iter()
            .map(|hash| (method, json!([hash])))
            .collect();
        let answers = self.batch(&questions)?;
        answers
            .iter()
            .map(|answer| self.read(method, answer, receipt))
            .collect()
    }
}

/// Null is "not mined": `Some(None)`.
fn receipt(value: &Value) -> Option<Option<Receipt>> {
    if value.is_null() {
        return Some(None);
    }
    let logs = value["logs"].as_array()?.iter().map(log);
    Some(Some(Receipt {
        block_number: quantity_u64(&value["blockNumber"])?,
        block_hash: hash(&value["blockHash"])?,
        success: quantity_u64(&value["status"])? == 1,
        gas_used: quantity_u64(&value["gasUsed"])?,
        gas_price: quantity_u128(&value["effectiveGasPrice"])?,
        contract: optional_address(&value["contractAddress"])?,
        logs: logs.collect::<Option<_>>()?,
    }))
}

fn log(value: &Value) -> Option<Log> {
    let topics = value["topics"].as_array()?.iter().map(hash);
    Some(Log {
        address: address(&value["address"])?,
        topics: topics.collect::<Option<_>>()?,
        data: bytes(&value["data"])?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_receipt() -> Value {
        json!({
            "blockNumber": "0x10", "blockHash": B256::ZERO, "status": "0x1", "gasUsed": "0x5208",
            "effectiveGasPrice": "0x2", "contractAddress": Address::repeat_byte(1), "somethingNew": {},
            "logs": [{"address": Address::repeat_byte(2), "topics": [B256::repeat_byte(3)], "data": "0x04"}],
        })
    }

    #[test]
    fn a_receipt_is_read_with_its_logs() {
        let found = receipt(&json_receipt()).unwrap().unwrap();
        assert!(found.success);
        assert_eq!(
            (found.block_number, found.gas_used, found.fee()),
            (16, 21_000, U256::from(42_000))
        );
        assert_eq!(found.contract, Some(Address::repeat_byte(1)));
        let log = Log {
            address: Address::repeat_byte(2),
            topics: vec![B256::repeat_byte(3)],
            data: Bytes::from_static(&[4]),
        };
        assert_eq!(found.logs, [log]);
    }

    #[test]
    fn what_is_not_mined_or_no_receipt() {
        assert_eq!(receipt(&Value::Null), Some(None));
        for field in ["blockNumber", "status", "gasUsed", "logs"] {
            let mut broken = json_receipt();
            broken[field] = Value::Null;
            assert_eq!(receipt(&broken), None, "{field}");
        }
        let mut broken = json_receipt();
        broken["logs"][0]["data"] = json!("0x4");
        assert_eq!(receipt(&broken), None);
        let mut payment = json_receipt();
        payment["contractAddress"] = Value::Null;
        assert_eq!(receipt(&payment).unwrap().unwrap().contract, None);
    }
}
