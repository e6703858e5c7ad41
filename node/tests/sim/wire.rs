//! What travels between two nodes, as bytes: both codecs are part of the simulation.

use cairn_node::network::{InboundId, Request, RequestId, Response, Status, Topic};

/// A message on its way.
#[derive(Debug, Clone)]
pub enum Message {
    /// Who are you?
    Hello(Vec<u8>),
    /// This is who I am; `None`: I have been asked too often.
    Welcome(Option<Vec<u8>>),
    /// A question, with the asker's number for it.
    Request(RequestId, Vec<u8>),
    /// The answer to it; `None`: there is none.
    Response(RequestId, Option<Vec<u8>>),
    /// News.
    Gossip(Topic, Vec<u8>),
}

/// A message that was read.
#[derive(Debug)]
pub enum Read {
    Hello(Status),
    Welcome(Option<Status>),
    Request(RequestId, Request),
    Response(RequestId, Option<Response>),
    Gossip(Topic, Vec<u8>),
}

impl Message {
    /// Reads it as a node does.
    pub fn read(self) -> Result<Read, cairn_node::network::message::MessageError> {
        Ok(match self {
            Self::Hello(bytes) => Read::Hello(Status::decode(&bytes)?),
            Self::Welcome(bytes) => {
                let status = bytes.map(|bytes| Status::decode(&bytes)).transpose()?;
                Read::Welcome(status)
            }
            Self::Request(id, bytes) => Read::Request(id, Request::decode(&bytes)?),
            Self::Response(id, bytes) => {
                let response = bytes.map(|bytes| Response::decode(&bytes)).transpose()?;
                Read::Response(id, response)
            }
            Self::Gossip(topic, bytes) => Read::Gossip(topic, bytes),
        })
    }
}

/// Where the answer to a question has to go.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The connection.
    pub link: u64,
    /// The asker's number; `None` for a hello.
    pub request: Option<RequestId>,
}

/// Questions that a node has to answer, by the number that it knows them by.
pub type Questions = std::collections::BTreeMap<InboundId, Question>;
