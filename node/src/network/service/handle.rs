//! What the rest of the node can ask of the network: texts and numbers, nothing of libp2p.

use alloy_primitives::{B256, U256};
use tokio::sync::{mpsc, oneshot, watch};

use crate::network::SyncStatus;

/// Questions that may wait for the network's task before further askers wait for room.
const QUEUE: usize = 64;

/// The way to the network's task. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NetworkHandle {
    commands: mpsc::Sender<Command>,
    sync: watch::Receiver<SyncStatus>,
}

/// Why a question to the network has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// What was asked for cannot be done; a sentence for the one who asked.
    #[error("{0}")]
    Refused(String),
    /// The node is about to end.
    #[error("the node is stopping")]
    Stopping,
}

/// This node, as its peers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeInfo {
    /// Its peer id: the digest of its key.
    pub id: String,
    /// Name and version of the program.
    pub client: String,
    /// Where it listens: multiaddresses that end in `/p2p/<id>`, to be given to others.
    pub addresses: Vec<String>,
    /// The gossip and request protocols that it speaks.
    pub protocols: Vec<String>,
    /// Most peers at once.
    pub max_peers: usize,
    /// Whom alone it talks to, if there is such a list.
    pub only_peers: Option<Vec<String>>,
}

/// One connected peer that is on our chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerInfo {
    /// Its peer id.
    pub id: String,
    /// Its multiaddress, as this connection sees it.
    pub address: String,
    /// Whether it called us.
    pub inbound: bool,
    /// Name and version of its program.
    pub client: String,
    /// Version of the protocol that it speaks.
    pub protocol: u32,
    /// Hash of its tip, as it says.
    pub head: B256,
    /// Height of its tip, as it says.
    pub number: u64,
    /// Work of its best chain, as it says or has shown.
    pub work: U256,
    /// Penalty points, out of [`crate::network::limits::BAN_POINTS`].
    pub points: u32,
    /// Since when it is connected, in milliseconds since 1970.
    pub since_ms: u64,
    /// How long a ping to it and back takes, once that is known.
    pub ping_ms: Option<u64>,
}

/// Somebody who may not connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BanInfo {
    /// A peer id or an IP address.
    pub subject: String,
    /// What it did.
    pub reason: String,
    /// Until when, in milliseconds since 1970.
    pub until_ms: u64,
}

/// A question with the place for its answer.
#[derive(Debug)]
pub(super) enum Command {
    Info {
        reply: oneshot::Sender<NodeInfo>,
    },
    Peers {
        reply: oneshot::Sender<Vec<PeerInfo>>,
    },
    AddPeer {
        address: String,
        reply: oneshot::Sender<Result<(), String>>,
    },
    RemovePeer {
        peer: String,
        reply: oneshot::Sender<Result<bool, String>>,
    },
    Bans {
        reply: oneshot::Sender<Vec<BanInfo>>,
    },
    Unban {
        subject: String,
        reply: oneshot::Sender<Result<bool, String>>,
    },
    OnlyPeers {
        peers: Option<Vec<String>>,
        reply: oneshot::Sender<Result<(), String>>,
    },
    Why {
        address: String,
        reply: oneshot::Sender<Result<String, String>>,
    },
}

impl NetworkHandle {
    /// A handle, and the end from which the task takes commands.
    pub(super) fn channel(sync: watch::Receiver<SyncStatus>) -> (Self, mpsc::Receiver<Command>) {
        let (commands, receiver) = mpsc::channel(QUEUE);
        (Self { commands, sync }, receiver)
    }

    /// How sync stands. Waits for nobody.
    pub fn sync_status(&self) -> SyncStatus {
        *self.sync.borrow()
    }

    /// The same, for those who want to hear of each change.
    pub fn sync_changes(&self) -> watch::Receiver<SyncStatus> {
        self.sync.clone()
    }

    /// Peers that are connected and on our chain. Waits for nobody.
    pub fn peer_count(&self) -> usize {
        self.sync.borrow().peers
    }

    /// This node.
    ///
    /// # Errors
    /// That the node is stopping.
    pub async fn info(&self) -> Result<NodeInfo, HandleError> {
        self.ask(|reply| Command::Info { reply }).await
    }

    /// The connected peers that are on our chain.
    ///
    /// # Errors
    /// That the node is stopping.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, HandleError> {
        self.ask(|reply| Command::Peers { reply }).await
    }

    /// Keeps a connection to the peer at this multiaddress from now on.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub async fn add_peer(&self, address: String) -> Result<(), HandleError> {
        refuse(
            self.ask(|reply| Command::AddPeer { address, reply })
                .await?,
        )
    }

    /// Leaves a peer, named by its id or multiaddress, and does not dial it again by itself.
    /// Whether it was known.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub async fn remove_peer(&self, peer: String) -> Result<bool, HandleError> {
        refuse(
            self.ask(|reply| Command::RemovePeer { peer, reply })
                .await?,
        )
    }

    /// Who is banned.
    ///
    /// # Errors
    /// That the node is stopping.
    pub async fn bans(&self) -> Result<Vec<BanInfo>, HandleError> {
        self.ask(|reply| Command::Bans { reply }).await
    }

    /// Lifts the bans of a peer id or an IP address; whether there were any. A ban covers a peer
    /// and the address that it came from: to lift one lifts the other.
    ///
    /// # Errors
    /// That the text is neither a peer id nor an IP address.
    pub async fn unban(&self, subject: String) -> Result<bool, HandleError> {
        refuse(self.ask(|reply| Command::Unban { subject, reply }).await?)
    }

    /// Talks only to these peers from now on, named by their ids or by multiaddresses that end
    /// in `/p2p/<id>`, and leaves all others; `None` is everybody.
    ///
    /// # Errors
    /// What is wrong with a name; then nothing has changed.
    pub async fn only_peers(&self, peers: Option<Vec<String>>) -> Result<(), HandleError> {
        refuse(
            self.ask(|reply| Command::OnlyPeers { peers, reply })
                .await?,
        )
    }

    /// Why there is no connection with the node at this multiaddress, in one sentence, or that
    /// there is one. Dials it if need be, which takes 20 seconds at most.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub async fn why(&self, address: String) -> Result<String, HandleError> {
        refuse(self.ask(|reply| Command::Why { address, reply }).await?)
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, HandleError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(command(reply)).await;
        sent.map_err(|_| HandleError::Stopping)?;
        answer.await.map_err(|_| HandleError::Stopping)
    }
}

fn refuse<T>(answer: Result<T, String>) -> Result<T, HandleError> {
    answer.map_err(HandleError::Refused)
}
