//! Questions to a node over JSON-RPC.

use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use cairn_genesis::Transaction;
use serde_json::{Value, json};
use ureq::Agent;

use super::wait_for;

/// An answer that comes later than this does not come.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A node's RPC over HTTP. Cheap to clone.
#[derive(Clone)]
pub struct Rpc {
    url: String,
    agent: Agent,
}

/// Why there is no result.
#[derive(Debug)]
pub enum Failure {
    /// The node refuses.
    Refused {
        /// JSON-RPC's code.
        code: i64,
        /// The sentence.
        message: String,
    },
    /// There is no node, or it went away.
    Gone,
}

impl Rpc {
    /// RPC at `HOST:PORT`.
    pub fn new(address: &str) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .build()
            .into();
        Self {
            url: format!("http://{address}"),
            agent,
        }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Posts a body; status and body of the answer.
    pub fn post(&self, body: &str) -> Result<(u16, String), Failure> {
        let request = self.agent.post(&self.url);
        let sent = request
            .header("content-type", "application/json")
            .send(body);
        let mut response = sent.map_err(|_| Failure::Gone)?;
        let status = response.status().as_u16();
        let limit = response.body_mut().with_config().limit(64 << 20);
        let body = limit.read_to_string().map_err(|_| Failure::Gone)?;
        Ok((status, body))
    }

    /// Asks, and gives the result or why there is none.
    pub fn ask(&self, method: &str, params: Value) -> Result<Value, Failure> {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let (_, body) = self.post(&request.to_string())?;
        result(&serde_json::from_str(&body).unwrap_or_else(|_| panic!("no JSON: {body}")))
    }

    /// Asks many questions at once; one result each.
    pub fn ask_all(&self, questions: &[(&str, Value)]) -> Result<Vec<Value>, Failure> {
        let mut results = Vec::new();
        for part in questions.chunks(200) {
            let batch = part.iter().enumerate().map(|(id, (method, params))| {
                json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
            });
            let (_, body) = self.post(&Value::from_iter(batch).to_string())?;
            let answers: Vec<Value> =
                serde_json::from_str(&body).unwrap_or_else(|_| panic!("no batch: {body}"));
            assert_eq!(answers.len(), part.len());
            for (id, answer) in answers.iter().enumerate() {
                assert_eq!(answer["id"], id, "answers come in order");
                results.push(result(answer)?);
            }
        }
        Ok(results)
    }

    /// Asks something that has an answer.
    #[track_caller]
    pub fn call(&self, method: &str, params: Value) -> Value {
        match self.ask(method, params) {
            Ok(result) => result,
            Err(failure) => panic!("{method}: {failure:?}"),
        }
    }

    /// Asks something that is refused with `code` and a sentence that begins with `words`.
    #[track_caller]
    pub fn refused(&self, method: &str, params: Value, code: i64, words: &str) -> String {
        match self.ask(method, params) {
            Err(Failure::Refused { code: got, message }) => {
                assert_eq!(got, code, "{method}: {message}");
                assert!(
                    message.starts_with(words),
                    "{method}: \"{words}\" expected: {message}"
                );
                message
            }
            other => panic!("{method}: not refused with \"{words}\" but {other:?}"),
        }
    }

    /// Height of the tip.
    #[track_caller]
    pub fn height(&self) -> u64 {
        number(&self.call("eth_blockNumber", json!([])))
    }

    /// The block at a height or tag, with hashes of its transactions.
    #[track_caller]
    pub fn block(&self, at: impl Into<Value>) -> Value {
        self.call("eth_getBlockByNumber", json!([at.into(), false]))
    }

    /// Balance at a height or tag.
    #[track_caller]
    pub fn balance(&self, address: Address, at: impl Into<Value>) -> U256 {
        wei(&self.call("eth_getBalance", json!([address, at.into()])))
    }

    /// Nonce at a height or tag.
    #[track_caller]
    pub fn nonce(&self, address: Address, at: impl Into<Value>) -> u64 {
        number(&self.call("eth_getTransactionCount", json!([address, at.into()])))
    }

    /// Hands in a transaction.
    #[track_caller]
    pub fn send(&self, transaction: &Transaction) -> B256 {
        let sent = hash(&self.call("eth_sendRawTransaction", json!([transaction.envelope()])));
        assert_eq!(sent, transaction.hash());
        sent
    }

    /// Hands in a transaction that is refused with these words.
    #[track_caller]
    pub fn send_refused(&self, transaction: &Transaction, words: &str) -> String {
        let params = json!([transaction.envelope()]);
        self.refused("eth_sendRawTransaction", params, -32000, words)
    }

    /// A receipt, or null.
    #[track_caller]
    pub fn receipt(&self, transaction: B256) -> Value {
        self.call("eth_getTransactionReceipt", json!([transaction]))
    }

    /// Waits for a receipt.
    #[track_caller]
    pub fn mined(&self, transaction: B256) -> Value {
        wait_for("a receipt", || {
            Some(self.receipt(transaction)).filter(|receipt| !receipt.is_null())
        })
    }

    /// Hands in a transaction and waits for its receipt.
    #[track_caller]
    pub fn send_and_mine(&self, transaction: &Transaction) -> Value {
        self.mined(self.send(transaction))
    }
}

fn result(answer: &Value) -> Result<Value, Failure> {
    assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
    match answer.get("error") {
        None => Ok(answer["result"].clone()),
        Some(error) => Err(Failure::Refused {
            code: error["code"].as_i64().expect("an error has a code"),
            message: text(&error["message"]).to_owned(),
        }),
    }
}

/// A height as RPC takes it.
pub fn block_at(height: u64) -> String {
    format!("{height:#x}")
}

/// An address as JSON has it in keys and values.
pub fn lower(address: Address) -> String {
    format!("{address:#x}")
}

/// A JSON string.
#[track_caller]
pub fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no string: {value}"))
}

/// A quantity of up to 256 bits, which must be written in the shortest form.
#[track_caller]
pub fn wei(value: &Value) -> U256 {
    let hex = text(value);
    let parsed: U256 = hex.parse().unwrap_or_else(|_| panic!("no quantity: {hex}"));
    assert_eq!(
        format!("{parsed:#x}"),
        hex,
        "a quantity in its shortest form"
    );
    parsed
}

/// A quantity of up to 64 bits.
#[track_caller]
pub fn number(value: &Value) -> u64 {
    wei(value).try_into().expect("a number of 64 bits")
}

/// 32 bytes.
#[track_caller]
pub fn hash(value: &Value) -> B256 {
    text(value)
        .parse()
        .unwrap_or_else(|_| panic!("no hash: {value}"))
}
