//! What can go wrong between the wallet and a node, each with what to do next.

use std::io;

use alloy_primitives::Bytes;
use thiserror::Error;

/// Why a node gave no usable answer.
#[derive(Debug, Error)]
pub enum RpcError {
    /// The text is no URL of a node.
    #[error("\"{url}\" is not the URL of a node; write for example http://127.0.0.1:8545")]
    Url {
        /// The text as given.
        url: String,
    },
    /// Nobody answers there.
    #[error("no node answers at {url} ({reason}); start one with `cairn run` or set --rpc")]
    Unreachable {
        /// The node's URL.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The connection stands, but the answer does not come.
    #[error("the node at {url} does not answer in time; it may be busy, so try again")]
    Timeout {
        /// The node's URL.
        url: String,
    },
    /// The answer is larger than any that is asked for.
    #[error("the answer of {url} is too large; check that --rpc is the URL of a node")]
    TooLarge {
        /// The node's URL.
        url: String,
    },
    /// An HTTP status other than success.
    #[error("{url} answers with HTTP status {status}; check that --rpc is the URL of a node")]
    Status {
        /// The node's URL.
        url: String,
        /// The status.
        status: u16,
    },
    /// Not an answer of JSON-RPC 2.0.
    #[error("{url} does not speak JSON-RPC; check that --rpc is the URL of a node")]
    NotJsonRpc {
        /// The node's URL.
        url: String,
    },
    /// JSON-RPC, but not the type that the method returns.
    #[error(
        "the node at {url} gives an answer to {method} that makes no sense; check that it is a Cairn or Ethereum node"
    )]
    Strange {
        /// The node's URL.
        url: String,
        /// The method asked.
        method: String,
    },
    /// The node understood and refused.
    #[error("the node refuses {method}: {message} (code {code})")]
    Refused {
        /// The method asked.
        method: String,
        /// JSON-RPC's error code.
        code: i64,
        /// The node's reason, printable.
        message: String,
        /// Bytes that came with it: for a revert, what the contract says.
        data: Option<Bytes>,
    },
}

/// JSON-RPC: "Method not found".
const METHOD_NOT_FOUND: i64 = -32601;

/// A call that reverted, as geth says it.
const REVERTED: i64 = 3;

impl RpcError {
    pub(super) fn from_http(url: &str, error: ureq::Error) -> Self {
        let url = url.to_owned();
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Self::Unreachable {
                    url,
                    reason: "no connection in time".to_owned(),
                }
            }
            ureq::Error::Timeout(_) => Self::Timeout { url },
            ureq::Error::BodyExceedsLimit(_) => Self::TooLarge { url },
            ureq::Error::Protocol(_)
            | ureq::Error::LargeResponseHeader(..)
            | ureq::Error::Json(_) => Self::NotJsonRpc { url },
            ureq::Error::Io(error) => Self::Unreachable {
                url,
                reason: reason(&error),
            },
            ureq::Error::HostNotFound => Self::Unreachable {
                url,
                reason: "unknown host".to_owned(),
            },
            other => Self::Unreachable {
                url,
                reason: super::printable(&other.to_string()),
            },
        }
    }

    /// Whether a smaller batch of questions may be answered.
    #[must_use]
    pub const fn wants_less(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. }
                | Self::Timeout { .. }
                | Self::Refused { .. }
                | Self::Status { .. }
        )
    }

    /// What the contract said, if that is why the node refuses and it tells. Nodes that do not
    /// have geth's code for it have its word.
    #[must_use]
    pub fn revert(&self) -> Option<Bytes> {
        match self {
            Self::Refused {
                code,
                message,
                data,
                ..
            } if *code == REVERTED || message.to_ascii_lowercase().contains("revert") => {
                data.clone()
            }
            _ => None,
        }
    }

    /// Whether the node does not have the method at all.
    #[must_use]
    pub const fn is_unknown_method(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                code: METHOD_NOT_FOUND,
                ..
            }
        )
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof => {
            "connection closed".to_owned()
        }
        _ => super::printable(&error.to_string()),
    }
}
