//! Somebody who speaks libp2p, and says whatever a test wants.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::{hex, keccak256};
use cairn_node::network::{Request, Response, Status, Topic};
use futures::StreamExt;
use libp2p::request_response::{self, Message, ProtocolSupport};
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder, gossipsub, identity, noise, tcp, yamux,
};

use super::raw::Bytes;
pub use super::raw::Habits;
use super::stage::Target;
use super::wait::PATIENCE;

/// How long a stranger sits before it tries to send more where it sends too much.
const BREATH: Duration = Duration::from_millis(1);

/// The longest gossip message it can send; twice what the node takes.
const MAX_MESSAGE_BYTES: usize = 2 << 20;

/// What it says of itself, made from what the node said.
pub type Claim = fn(Status) -> Vec<u8>;

/// What it answers, or that it does not.
pub type Answer = fn(&Request) -> Option<Vec<u8>>;

/// One stranger with one connection.
pub struct Stranger {
    /// Its peer id.
    pub id: String,
    /// What is answered to the node's questions.
    pub answer: Answer,
    /// The last announcement of a block that it heard.
    pub news: Option<Vec<u8>>,
    /// Questions of the node. The first is what is in its pool, once the node thinks that it
    /// fits.
    pub asked: usize,
    /// What it has said of itself.
    pub said: Option<Vec<u8>>,
    /// Whether the connection is gone.
    pub is_gone: bool,
    claim: Claim,
    subscribed: HashSet<String>,
    swarm: Swarm<Behaviour>,
    target: PeerId,
    prefix: String,
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    hello: request_response::Behaviour<Bytes>,
    exchange: request_response::Behaviour<Bytes>,
    gossip: gossipsub::Behaviour,
}

impl Stranger {
    /// One who has not said anything yet.
    pub fn new(target: &Target, habits: Habits, claim: Claim, answer: Answer) -> Self {
        let key = identity::Keypair::generate_ed25519();
        let genesis = target.spec.genesis_hash();
        let prefix = format!("/cairn/{}", hex::encode(&genesis[..4]));
        let behaviour = Behaviour {
            hello: exchange("/cairn/hello/1".to_owned(), habits),
            exchange: exchange(format!("{prefix}/exchange/1"), habits),
            gossip: gossip(&prefix),
        };
        let mut swarm = swarm(&key, behaviour);
        let address: Multiaddr = target.address.parse().unwrap();
        let Some(libp2p::multiaddr::Protocol::P2p(peer)) = address.iter().last() else {
            panic!("no peer id in {address}");
        };
        swarm.dial(address).unwrap();
        Self {
            id: key.public().to_peer_id().to_string(),
            answer,
            news: None,
            asked: 0,
            said: None,
            is_gone: false,
            claim,
            subscribed: HashSet::new(),
            swarm,
            target: peer,
            prefix,
        }
    }

    /// One whom the node takes for one of its own; `None` if there is no place for it now.
    pub async fn accepted(target: &Target, habits: Habits, answer: Answer) -> Option<Self> {
        let mut stranger = Self::new(target, habits, |theirs| theirs.encode(), answer);
        let topics = |stranger: &Self| stranger.subscribed.len() == 2;
        let is_in = stranger
            .until(|stranger| stranger.asked > 0 && topics(stranger))
            .await;
        is_in.then_some(stranger)
    }

    /// The same, who tries again until there is one.
    pub async fn settled(target: &Target, habits: Habits, answer: Answer) -> Self {
        loop {
            if let Some(stranger) = Self::accepted(target, habits, answer).await {
                return stranger;
            }
            tokio::time::sleep(BREATH * 100).await;
        }
    }

    /// Lives until something is so; `false` if the connection ended before.
    pub async fn until(&mut self, is_so: impl Fn(&Self) -> bool) -> bool {
        let waiting = async {
            while !is_so(self) {
                if self.is_gone {
                    return false;
                }
                self.turn().await;
            }
            true
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.expect("the node does something with a stranger")
    }

    /// Lives until the connection ends.
    pub async fn until_gone(&mut self) {
        self.until(|_| false).await;
    }

    /// Lives for a moment.
    pub async fn breathe(&mut self) {
        let turns = async {
            loop {
                self.turn().await;
            }
        };
        // The moment is what ends it.
        let _ = tokio::time::timeout(BREATH, turns).await;
    }

    /// Asks these bytes as who it is.
    pub fn say_hello(&mut self, bytes: Vec<u8>) {
        let hello = &mut self.swarm.behaviour_mut().hello;
        hello.send_request(&self.target, bytes);
    }

    /// Asks these bytes.
    pub fn ask(&mut self, bytes: Vec<u8>) {
        let exchange = &mut self.swarm.behaviour_mut().exchange;
        exchange.send_request(&self.target, bytes);
    }

    /// Gossips these bytes; `false` if its line is full, and it has to breathe.
    pub fn gossip(&mut self, topic: Topic, bytes: Vec<u8>) -> bool {
        let name = topic_name(&self.prefix, topic);
        let topic = gossipsub::IdentTopic::new(name);
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        use gossipsub::PublishError::AllQueuesFull;
        !matches!(gossip.publish(topic, bytes), Err(AllQueuesFull(_)))
    }

    /// Gossips all of these that it can before it is thrown out.
    pub async fn flood(&mut self, topic: Topic, messages: impl IntoIterator<Item = Vec<u8>>) {
        for message in messages {
            while !self.gossip(topic, message.clone()) {
                self.breathe().await;
            }
            if self.is_gone {
                return;
            }
        }
        self.breathe().await;
    }

    async fn turn(&mut self) {
        match self.swarm.select_next_some().await {
            SwarmEvent::Behaviour(BehaviourEvent::Hello(event)) => self.hello(event),
            SwarmEvent::Behaviour(BehaviourEvent::Exchange(event)) => self.exchange(event),
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.heard(event),
            SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => {
                self.is_gone = true;
            }
            _ => {}
        }
    }

    fn hello(&mut self, event: request_response::Event<Vec<u8>, Vec<u8>>) {
        if let request_response::Event::Message { message, .. } = event
            && let Message::Request {
                request, channel, ..
            } = message
            && let Ok(theirs) = Status::decode(&request[4..])
        {
            let said = (self.claim)(theirs);
            let bytes = frame(said.clone());
            self.said = Some(said);
            let hello = &mut self.swarm.behaviour_mut().hello;
            // The node may have gone.
            let _ = hello.send_response(channel, bytes);
        }
    }

    fn exchange(&mut self, event: request_response::Event<Vec<u8>, Vec<u8>>) {
        if let request_response::Event::Message { message, .. } = event
            && let Message::Request {
                request, channel, ..
            } = message
        {
            let request = Request::decode(&request[4..]).expect("the node speaks well");
            self.asked += 1;
            if let Some(bytes) = (self.answer)(&request) {
                let exchange = &mut self.swarm.behaviour_mut().exchange;
                // The node may have gone.
                let _ = exchange.send_response(channel, bytes);
            }
        }
    }

    fn heard(&mut self, event: gossipsub::Event) {
        match event {
            gossipsub::Event::Subscribed { topic, .. } => {
                self.subscribed.insert(topic.to_string());
            }
            gossipsub::Event::Message { message, .. }
                if message.topic.as_str() == topic_name(&self.prefix, Topic::Blocks) =>
            {
                self.news = Some(message.data);
            }
            _ => {}
        }
    }
}

/// A number that was not there before: what has been gossiped once is not looked at again.
pub fn fresh() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Four bytes of length, and these.
pub fn frame(bytes: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    [length.to_be_bytes().to_vec(), bytes].concat()
}

/// Has nothing of what it is asked for.
pub fn nothing(request: &Request) -> Option<Vec<u8>> {
    let response = match request {
        Request::Headers { .. } => Response::Headers(Vec::new()),
        Request::Bodies { .. } => Response::Bodies(Vec::new()),
        Request::BlockTransactions { .. } => Response::BlockTransactions(Vec::new()),
        Request::Pool => Response::Pool(Vec::new()),
        Request::Transactions { .. } => Response::Transactions(Vec::new()),
    };
    Some(frame(response.encode()))
}

/// Never answers.
pub fn silence(_: &Request) -> Option<Vec<u8>> {
    None
}

fn topic_name(prefix: &str, topic: Topic) -> String {
    match topic {
        Topic::Blocks => format!("{prefix}/blocks/1"),
        Topic::Transactions => format!("{prefix}/transactions/1"),
    }
}

fn exchange(protocol: String, habits: Habits) -> request_response::Behaviour<Bytes> {
    let protocol = StreamProtocol::try_from_owned(protocol).unwrap();
    request_response::Behaviour::with_codec(
        Bytes(habits),
        [(protocol, ProtocolSupport::Full)],
        request_response::Config::default()
            .with_request_timeout(PATIENCE)
            .with_max_concurrent_streams(usize::MAX),
    )
}

fn gossip(prefix: &str) -> gossipsub::Behaviour {
    let config = gossipsub::ConfigBuilder::default()
        .validation_mode(gossipsub::ValidationMode::Anonymous)
        .message_id_fn(|message| gossipsub::MessageId::new(keccak256(&message.data).as_slice()))
        .max_transmit_size(MAX_MESSAGE_BYTES)
        .build()
        .unwrap();
    let anonymous = gossipsub::MessageAuthenticity::Anonymous;
    let mut gossip = gossipsub::Behaviour::new(anonymous, config).unwrap();
    for topic in [Topic::Blocks, Topic::Transactions] {
        let topic = gossipsub::IdentTopic::new(topic_name(prefix, topic));
        gossip.subscribe(&topic).unwrap();
    }
    gossip
}

fn swarm(key: &identity::Keypair, behaviour: Behaviour) -> Swarm<Behaviour> {
    SwarmBuilder::with_existing_identity(key.clone())
        .with_tokio()
        .with_tcp(
            tcp::Config::default(),
            noise::Config::new,
            yamux::Config::default,
        )
        .unwrap()
        .with_behaviour(|_| behaviour)
        .unwrap()
        .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE))
        .build()
}
