//! A blocking JSON-RPC 2.0 client: the wallet's only view of the chain.
//!
//! ```text
//! eth, call, receipt (typed questions) ──► Client (one request or batch) ──► HTTP POST
//!                                             │
//!                 value (strict quantities) ◄─┘   every answer is checked before it is believed
//! ```
//!
//! The node may be anybody's: answers are limited in size and time, integers parsed strictly, and
//! what it says about fees is bounded by the caller. Absent: WebSocket, subscriptions, retries of
//! anything but a question.

mod call;
mod error;
mod eth;
mod receipt;
mod value;

use std::{cell::Cell, net::IpAddr, time::Duration};

use alloy_primitives::Bytes;
use serde_json::{Value, json};

pub use self::{
    call::Call,
    error::RpcError,
    eth::{Block, FeeMarket, Tag, Transfer},
    receipt::{Log, Receipt},
};

/// Longest wait for one answer. A node that has it answers within milliseconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest answer, in bytes: a full 8 MiB block as JSON fits several times.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// Longest text of a node's error that is shown, in characters.
const MAX_ERROR_CHARS: usize = 300;

/// A connection to one node.
#[derive(Debug)]
pub struct Client {
    agent: ureq::Agent,
    url: String,
    next_id: Cell<u64>,
}

/// A question: method and parameters.
type Question<'a> = (&'a str, Value);

impl Client {
    /// A client of the node at `url`: `http://…`, `https://…`, or `HOST:PORT` for the former.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`RpcError::Url`].
    pub fn new(url: &str) -> Result<Self, RpcError> {
        let bad = || RpcError::Url {
            url: url.to_owned(),
        };
        let full = if url.contains("://") {
            url.to_owned()
        } else {
            format!("http://{url}")
        };
        let parsed: ureq::http::Uri = full.parse().map_err(|_| bad())?;
        let host = parsed
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(bad)?;
        if !matches!(parsed.scheme_str(), Some("http" | "https")) {
            return Err(bad());
        }
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("cairn-wallet/", env!("CARGO_PKG_VERSION")));
        // A proxy is for the world outside; no proxy can reach this machine's own node.
        if is_loopback(host) {
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().into(),
            url: full,
            next_id: Cell::new(1),
        })
    }

    /// The node's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks one question.
    fn call(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        let (id, request) = self.request(method, &params);
        let answer = self.post(&request)?;
        self.result(method, id, answer)
    }

    /// Asks several questions in one request; the answers come in the same order.
    fn batch(&self, questions: &[Question<'_>]) -> Result<Vec<Value>, RpcError> {
        // Some servers answer an empty batch with an error.
        if questions.is_empty() {
            return Ok(Vec::new());
        }
        let (ids, requests): (Vec<u64>, Vec<Value>) = questions
            .iter()
            .map(|(method, params)| self.request(method, params))
            .unzip();
        let method = questions[0].0;
        let mut answers = match self.post(&Value::Array(requests))? {
            Value::Array(answers) => answers,
            // A batch that is refused as a whole gets one error.
            other => {
                return Err(self
                    .result(method, 0, other)
                    .err()
                    .unwrap_or_else(|| self.strange(method)));
            }
        };
        // Answers may come in any order, so each is looked up by its id.
        ids.into_iter()
            .zip(questions)
            .map(|(id, (method, _))| {
                let found = answers.iter_mut().find(|answer| answer["id"] == id);
                let answer = found.ok_or_else(|| self.strange(method))?;
                self.result(method, id, answer.take())
            })
            .collect()
    }

    fn request(&self, method: &str, params: &Value) -> (u64, Value) {
        let id = self.next_id.get();
        self.next_id.set(id.wrapping_add(1));
        (
            id,
            json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}),
        )
    }

    fn post(&self, body: &Value) -> Result<Value, RpcError> {
        let failed = |error| RpcError::from_http(&self.url, error);
        let mut response = self.agent.post(&self.url).send_json(body).map_err(failed)?;
        let status = response.status().as_u16();
        let bytes = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_to_vec()
            .map_err(failed)?;
        match serde_json::from_slice(&bytes) {
            Ok(value) if response.status().is_success() || is_answer(&value) => Ok(value),
            _ if status != 200 => Err(RpcError::Status {
                url: self.url.clone(),
                status,
            }),
            _ => Err(RpcError::NotJsonRpc {
                url: self.url.clone(),
            }),
        }
    }

    /// Takes the result out of an answer, or its error.
    fn result(&self, method: &str, id: u64, mut answer: Value) -> Result<Value, RpcError> {
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            let message = error["message"].as_str().unwrap_or("no reason given");
            return Err(RpcError::Refused {
                method: method.to_owned(),
                code: error["code"].as_i64().unwrap_or_default(),
                message: printable(message),
                data: revert_data(&error["data"]),
            });
        }
        let same_id = answer["id"] == id;
        match answer.get_mut("result") {
            Some(result) if same_id => Ok(result.take()),
            Some(_) => Err(self.strange(method)),
            None => Err(RpcError::NotJsonRpc {
                url: self.url.clone(),
            }),
        }
    }

    /// An answer that is valid JSON-RPC but not what `method` returns.
    fn strange(&self, method: &str) -> RpcError {
        RpcError::Strange {
            url: self.url.clone(),
            method: method.to_owned(),
        }
    }
}

/// Whether a body is JSON-RPC even though the HTTP status says that something failed.
fn is_answer(value: &Value) -> bool {
    let one = |value: &Value| value["jsonrpc"] == "2.0" && value.get("error").is_some();
    one(value) || value.as_array().is_some_and(|all| all.iter().any(one))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// What a contract reverted with: bytes, which some nodes put into an object.
fn revert_data(data: &Value) -> Option<Bytes> {
    value::bytes(data).or_else(|| value::bytes(data.get("data")?))
}

/// A node's words, short and without control characters that would play with the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_ERROR_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_server::{Reply, TestServer};

    fn ask(reply: Reply) -> Result<Value, RpcError> {
        let server = TestServer::start(move |_| reply.clone());
        Client::new(&server.url())
            .unwrap()
            .call("eth_chainId", json!([]))
    }

    #[test]
    fn understands_urls() {
        for (given, full) in [
            ("127.0.0.1:8545", "http://127.0.0.1:8545"),
            ("http://node", "http://node"),
            ("https://node/key", "https://node/key"),
            ("localhost:1", "http://localhost:1"),
        ] {
            assert_eq!(Client::new(given).unwrap().url(), full);
        }
        for bad in [
            "",
            "http://",
            "ftp://node",
            "ws://127.0.0.1:8545",
            "no de",
            "/path",
        ] {
            assert!(
                matches!(Client::new(bad), Err(RpcError::Url { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn an_answer_is_taken() {
        assert_eq!(ask(Reply::Result(json!("0x1"))).unwrap(), json!("0x1"));
        assert_eq!(ask(Reply::Result(Value::Null)).unwrap(), Value::Null);
    }

    #[test]
    fn what_the_node_refuses_is_passed_on_without_its_control_characters() {
        match ask(Reply::Error(-32000, "no\u{1b}[31m way".to_owned())) {
            Err(RpcError::Refused {
                code: -32000,
                message,
                ..
            }) => assert_eq!(message, "no [31m way"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let raw = |status, body: &str| ask(Reply::Raw(status, body.to_owned()));
        assert!(matches!(
            raw(200, "hello"),
            Err(RpcError::NotJsonRpc { .. })
        ));
        assert!(matches!(raw(200, "{}"), Err(RpcError::NotJsonRpc { .. })));
        assert!(matches!(
            raw(502, "<html>"),
            Err(RpcError::Status { status: 502, .. })
        ));
        assert!(matches!(
            raw(302, "{}"),
            Err(RpcError::Status { status: 302, .. })
        ));
        assert!(matches!(
            raw(200, r#"{"id":99,"result":1}"#),
            Err(RpcError::Strange { .. })
        ));
        let refusal = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"slow down"}}"#;
        assert!(matches!(
            raw(429, refusal),
            Err(RpcError::Refused { code: -32005, .. })
        ));
    }

    #[test]
    fn an_endless_answer_is_cut_off() {
        let huge = " ".repeat(usize::try_from(MAX_ANSWER_BYTES).unwrap() + 1);
        assert!(matches!(
            ask(Reply::Raw(200, huge)),
            Err(RpcError::TooLarge { .. })
        ));
    }

    #[test]
    fn nobody_listens() {
        let client = Client::new("127.0.0.1:1").unwrap();
        assert!(matches!(
            client.call("eth_chainId", json!([])),
            Err(RpcError::Unreachable { .. })
        ));
    }

    #[test]
    fn a_batch_is_put_in_order() {
        let server = TestServer::start(|request| match request["method"].as_str() {
            Some("a") => Reply::Result(json!(1)),
            Some("b") => Reply::Result(json!(2)),
            _ => Reply::Error(-32601, "unknown".to_owned()),
        });
        let client = Client::new(&server.url()).unwrap();
        // The server answers a batch in reverse.
        let both = client.batch(&[("a", json!([])), ("b", json!([]))]).unwrap();
        assert_eq!(both, [json!(1), json!(2)]);
        assert!(client.batch(&[]).unwrap().is_empty());
        let refused = client.batch(&[("a", json!([])), ("c", json!([]))]);
        assert!(matches!(refused, Err(RpcError::Refused { method, .. }) if method == "c"));
    }
}
