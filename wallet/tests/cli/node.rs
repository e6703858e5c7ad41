//! A scripted node that mines every transaction at once, unless told otherwise.

use std::sync::{Arc, Mutex, MutexGuard};

use cairn_genesis::{Transaction, VerifiedTransaction};
use serde_json::{Value, json};

use crate::{
    User,
    test_server::{Reply, TestServer},
    text,
};

const CHAIN_ID: u64 = 31337;

/// Who gets payments.
pub(crate) const TO: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) balance: &'static str,
    pub(crate) tip: &'static str,
    /// Receipt's status; none if it is never mined.
    pub(crate) status: Option<&'static str>,
    /// Its explanation of a transaction that waits; none if it does not know the question.
    pub(crate) why: Option<&'static str>,
    /// What it says to transactions instead of taking them.
    pub(crate) refusal: Option<&'static str>,
    /// The error that it gives to calls and questions about gas.
    pub(crate) revert: Option<Value>,
    /// What calls return.
    pub(crate) output: String,
    /// The code of every address.
    pub(crate) code: &'static str,
    /// The logs of every receipt.
    pub(crate) logs: Value,
    /// The created contract of every receipt; none if it is the true one.
    pub(crate) created: Option<&'static str>,
    pub(crate) asked: Arc<Mutex<Vec<Value>>>,
    pub(crate) sent: Arc<Mutex<Vec<VerifiedTransaction>>>,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self {
            // 100 coins.
            balance: "0x56bc75e2d63100000",
            tip: "0x3b9aca00",
            status: Some("0x1"),
            why: None,
            refusal: None,
            revert: None,
            output: "0x".to_owned(),
            code: "0x6001",
            logs: json!([]),
            created: None,
            asked: Arc::default(),
            sent: Arc::default(),
        }
    }

    pub(crate) fn start(&self) -> TestServer {
        let node = self.clone();
        TestServer::start(move |request| node.answer(request))
    }

    fn list(&self) -> MutexGuard<'_, Vec<VerifiedTransaction>> {
        self.sent.lock().expect("nobody panics with the list")
    }

    /// The transactions that it took.
    pub(crate) fn sent(&self) -> Vec<VerifiedTransaction> {
        self.list().clone()
    }

    /// The parameters of the calls that it was asked to run.
    pub(crate) fn asked(&self) -> Vec<Value> {
        let asked = self.asked.lock().expect("nobody panics with the list");
        asked.clone()
    }

    pub(crate) fn answer(&self, request: &Value) -> Reply {
        Reply::Result(match text(&request["method"]).as_str() {
            "eth_chainId" => json!("0x7a69"),
            "eth_blockNumber" => json!("0x2"),
            "eth_getTransactionCount" => json!(if request["params"][1] == "pending" {
                "0x7"
            } else {
                "0x5"
            }),
            "eth_getBalance" => json!(self.balance),
            "eth_getCode" => json!(self.code),
            "eth_feeHistory" => {
                json!({"baseFeePerGas": ["0x1", "0x77359400"], "reward": [["0x1"]]})
            }
            "eth_maxPriorityFeePerGas" => json!(self.tip),
            // Any data makes more of it than a payment.
            "eth_estimateGas" if request["params"][0]["data"] == "0x" => {
                return self.run(request, "0x5208");
            }
            "eth_estimateGas" => return self.run(request, "0x186a0"),
            "eth_call" => return self.run(request, &self.output),
            "eth_getTransactionByHash" => json!({}),
            "eth_getTransactionReceipt" => self
                .status
                .map_or(Value::Null, |status| self.receipt(status)),
            "cairn_why" => match self.why {
                Some(why) => json!({"explanation": why}),
                None => return Reply::Error(-32601, "the method does not exist".to_owned()),
            },
            "eth_sendRawTransaction" => return self.take(&request["params"][0]),
            other => panic!("{other}"),
        })
    }

    fn run(&self, request: &Value, answer: &str) -> Reply {
        let mut asked = self.asked.lock().expect("nobody panics with the list");
        asked.push(request["params"].clone());
        match &self.revert {
            Some(error) => Reply::Refusal(error.clone()),
            None => Reply::Result(json!(answer)),
        }
    }

    fn receipt(&self, status: &str) -> Value {
        let last = self.list().last().cloned();
        let creation = last.filter(|last| last.to().is_create());
        let created = creation.map(|one| one.sender().create(one.nonce()).to_string());
        json!({
            "blockNumber": "0x2", "blockHash": format!("0x{}", "ab".repeat(32)), "status": status,
            "gasUsed": "0x5208", "effectiveGasPrice": "0x3b9aca00", "logs": self.logs,
            "contractAddress": self.created.map(str::to_owned).or(created),
        })
    }

    fn take(&self, envelope: &Value) -> Reply {
        if let Some(refusal) = self.refusal {
            return Reply::Error(-32000, refusal.to_owned());
        }
        let bytes = alloy_primitives::hex::decode(text(envelope)).expect("hexadecimal");
        let transaction = Transaction::decode(&bytes).expect("an envelope");
        let verified = VerifiedTransaction::new(transaction, CHAIN_ID).expect("valid");
        let hash = verified.hash();
        self.list().push(verified);
        Reply::Result(json!(hash))
    }
}

/// A user with one funded account of a scheme, and its address.
pub(crate) fn payer(scheme: &str) -> (User, String) {
    let user = User::new();
    let address = user.restore_dev(scheme, 0, "dev");
    (user, address)
}
