//! Where a node that runs is asked over its JSON-RPC, and what is said if that does not work.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::{StatusCode, Uri};
use ureq::{Agent, Error, Timeout};

/// Longest wait for an answer: a node that is asked why it has no connection dials, which takes
/// up to 20 seconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a node answers, if nothing else is said.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8545";

/// The URL of a node: `http://…`, `https://…`, or `HOST:PORT` for the former.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeUrl {
    full: String,
    host: String,
}

impl FromStr for NodeUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("write the URL of a node, for example {DEFAULT_URL}");
        let full = match text.contains("://") {
            true => text.to_owned(),
            false => format!("http://{text}"),
        };
        let parsed: Uri = full.parse().map_err(|_| wrong())?;
        let host = parsed.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(wrong)?.to_owned();
        match parsed.scheme_str() {
            Some("http" | "https") => Ok(Self { full, host }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for NodeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

impl NodeUrl {
    /// The option that leads to the same node, for a command that is suggested.
    pub fn option(&self) -> String {
        match self.full.as_str() {
            DEFAULT_URL => String::new(),
            url => format!(" --rpc {url}"),
        }
    }

    /// Asks one question.
    pub fn ask(&self, method: &str, params: &Value) -> Result<Value, String> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let failed = |error| self.failed(error);
        let question = self.agent().post(&self.full);
        let mut response = question.send_json(&request).map_err(failed)?;
        if !response.status().is_success() {
            return Err(self.refused(response.status()));
        }
        let answer: Value = response.body_mut().read_json().map_err(failed)?;
        match (answer.get("error"), answer.get("result")) {
            (Some(error), _) => Err(error["message"].as_str().unwrap_or("?").to_owned()),
            (None, Some(result)) => Ok(result.clone()),
            (None, None) => Err(self.no_node()),
        }
    }

    fn agent(&self) -> Agent {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0);
        // A proxy is for the world outside; no proxy can reach this machine's own node.
        match self.is_loopback() {
            true => config.proxy(None).build().into(),
            false => config.build().into(),
        }
    }

    fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    fn failed(&self, error: Error) -> String {
        let reason = match error {
            Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                "no connection in time".to_owned()
            }
            Error::Timeout(_) => {
                return format!(
                    "the node at {self} does not answer in time; it may be busy, so try again"
                );
            }
            Error::Json(_)
            | Error::Protocol(_)
            | Error::LargeResponseHeader(..)
            | Error::BodyExceedsLimit(_) => return self.no_node(),
            Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        format!(
            "no node answers at {self}: {reason}; start one with `cairn run`, or name its address with --rpc URL"
        )
    }

    /// The guard of a node answers 403 to names that it was not told of.
    fn refused(&self, status: StatusCode) -> String {
        let host = &self.host;
        match status {
            StatusCode::FORBIDDEN => format!(
                "{self} answers with HTTP status 403; if it is a node, it does not know the name {host}: use its IP address, or start it with --rpc-hosts {host}"
            ),
            _ => format!(
                "{self} answers with HTTP status {}; check that --rpc is the URL of a node",
                status.as_u16()
            ),
        }
    }

    fn no_node(&self) -> String {
        format!(
            "what answers at {self} is no JSON-RPC server; check that --rpc is the URL of a node"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// What is said of a server that answers with this.
    fn ask(answer: String) -> Result<Value, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(b"}") {
                let length = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..length]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let answer = address
            .parse::<NodeUrl>()
            .unwrap()
            .ask("admin_peers", &json!([]));
        server.join().unwrap();
        answer.map_err(|error| error.replace(&address, "HERE"))
    }

    #[test]
    fn urls_and_addresses_are_understood() {
        for (given, full) in [
            ("127.0.0.1:8545", DEFAULT_URL),
            ("localhost:1", "http://localhost:1"),
            ("https://node.example/key", "https://node.example/key"),
            ("[::1]:1", "http://[::1]:1"),
        ] {
            assert_eq!(given.parse::<NodeUrl>().unwrap().to_string(), full);
        }
        for wrong in ["", "http://", "ws://127.0.0.1:8545", "no de", "/path"] {
            let error = wrong.parse::<NodeUrl>().unwrap_err();
            assert!(error.contains(DEFAULT_URL), "{wrong}: {error}");
        }
    }

    #[test]
    fn this_machine_is_asked_without_a_proxy() {
        let is_near = |url: &str| url.parse::<NodeUrl>().unwrap().is_loopback();
        assert!(is_near("localhost:1") && is_near("127.0.0.2:1") && is_near("[::1]:1"));
        assert!(!is_near("192.168.1.7:8545") && !is_near("https://node.example"));
    }

    #[test]
    fn a_suggested_command_asks_the_same_node() {
        let option = |url: &str| url.parse::<NodeUrl>().unwrap().option();
        assert_eq!(option("127.0.0.1:8545"), "");
        assert_eq!(option("127.0.0.1:9000"), " --rpc http://127.0.0.1:9000");
    }

    fn http(status: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
    }

    #[test]
    fn answers_are_taken_and_refusals_explained() {
        assert_eq!(ask(http("200 OK", r#"{"result":7}"#)), Ok(json!(7)));
        let refusal = r#"{"error":{"message":"not so"}}"#;
        let no_server = "what answers at http://HERE is no JSON-RPC server";
        for (answer, words) in [
            (http("200 OK", refusal), "not so"),
            (
                http("403 Forbidden", ""),
                "http://HERE answers with HTTP status 403; if it is a node, it does not know the name 127.0.0.1",
            ),
            (
                http("302 Found", ""),
                "http://HERE answers with HTTP status 302; check that --rpc is the URL of a node",
            ),
            (http("200 OK", "hello"), no_server),
            (http("200 OK", "{}"), no_server),
            ("220 mail.example\r\n\r\n".to_owned(), no_server),
        ] {
            let error = ask(answer).unwrap_err();
            assert!(error.starts_with(words), "{error}");
        }
    }

    #[test]
    fn nobody_answers() {
        let url: NodeUrl = "127.0.0.1:1".parse().unwrap();
        let error = url.ask("admin_peers", &json!([])).unwrap_err();
        let words = "no node answers at http://127.0.0.1:1: ";
        assert!(error.starts_with(words), "{error}");
        assert!(error.contains("`cairn run`"), "{error}");
    }
}
