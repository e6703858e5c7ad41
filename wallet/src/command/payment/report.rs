//! What scripts learn about a transaction.

use alloy_primitives::TxKind;
use serde_json::{Value, json};

use super::{Sent, wait::Outcome};
use crate::client::{Log, Receipt};

/// The transaction and its status; once it is mined, the main parts of its receipt.
pub(super) fn json(sent: &Sent<'_>, outcome: Option<&Outcome>) -> Value {
    let Sent {
        payment,
        from,
        hash,
        ..
    } = sent;
    let to = match payment.to {
        TxKind::Call(to) => Some(to.to_string()),
        TxKind::Create => None,
    };
    let mut json = json!({
        "hash": hash,
        "status": status(outcome),
        "from": from.to_string(),
        "to": to,
        "value": payment.value.to_string(),
        "type": format!("{:#04x}", payment.kind.number()),
        "chainId": payment.chain_id,
        "nonce": payment.nonce,
        "gasLimit": payment.gas_limit,
        "maxFeePerGas": payment.max_fee.to_string(),
        "maxPriorityFeePerGas": payment.priority_fee.to_string(),
    });
    if payment.to.is_create() {
        json["contractAddress"] = json!(from.create(payment.nonce).to_string());
    }
    if let Some(Outcome::Mined(receipt)) = outcome {
        add_receipt(&mut json, receipt);
    }
    json
}

const fn status(outcome: Option<&Outcome>) -> &'static str {
    match outcome {
        None => "sent",
        Some(Outcome::Mined(receipt)) if receipt.success => "success",
        Some(Outcome::Mined(_)) => "failed",
        Some(Outcome::Replaced) => "replaced",
        Some(Outcome::Dropped) => "dropped",
        Some(Outcome::TimedOut { .. }) => "pending",
    }
}

fn add_receipt(json: &mut Value, receipt: &Receipt) {
    let logs: Vec<Value> = receipt.logs.iter().map(log_json).collect();
    json["blockNumber"] = json!(receipt.block_number);
    json["blockHash"] = json!(receipt.block_hash);
    json["gasUsed"] = json!(receipt.gas_used);
    json["effectiveGasPrice"] = json!(receipt.gas_price.to_string());
    json["fee"] = json!(receipt.fee().to_string());
    json["logs"] = Value::Array(logs);
}

fn log_json(log: &Log) -> Value {
    json!({
        "address": log.address.to_string(),
        "topics": log.topics,
        "data": log.data,
    })
}
