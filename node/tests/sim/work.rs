//! The core's work, which takes its time: one job after the other, as in the thread of a real node.
//!
//! ```text
//! job ─► queue ─► Work: the core handles it ─► Told: the network hears what came of it
//!                   the store has changed        and the next job begins
//! ```

use alloy_primitives::{B256, U256};
use cairn_genesis::{VerifiedBlock, VerifiedTransaction};
use cairn_node::core::{Answer, Event};
use cairn_node::network::{AdmitToken, Input};
use rand::Rng;

use super::world::{Happening, World};

/// The longest time for what is no block, in milliseconds.
const SMALL_MS: u64 = 2;

/// Something for the core to do.
#[derive(Debug)]
pub struct Job {
    /// What.
    pub event: Event,
    /// Who wants it.
    pub client: Client,
}

/// Who waits for what the core answers.
#[derive(Debug)]
pub enum Client {
    /// The network, which has a transaction.
    Admit { token: AdmitToken, hash: B256 },
    /// The network, which has blocks.
    Import { blocks: Vec<B256> },
    /// A user, of whose transaction the network is told if it is taken.
    User,
    /// Nobody: a miner that goes on with what the tip is then, or time has passed.
    Nobody,
}

impl Job {
    /// A transaction of a peer.
    pub fn admit(token: AdmitToken, transaction: VerifiedTransaction) -> Self {
        Self {
            client: Client::Admit {
                token,
                hash: transaction.hash(),
            },
            event: Event::Transaction(transaction),
        }
    }

    /// Blocks of peers.
    pub fn import(blocks: Vec<VerifiedBlock>, proven_work: U256) -> Self {
        Self {
            client: Client::Import {
                blocks: blocks.iter().map(VerifiedBlock::hash).collect(),
            },
            event: Event::Branch {
                blocks,
                proven_work,
            },
        }
    }

    /// A transaction of a user.
    pub fn user(transaction: VerifiedTransaction) -> Self {
        Self {
            client: Client::User,
            event: Event::Transaction(transaction),
        }
    }

    /// A block that the node has mined.
    pub fn mined(block: VerifiedBlock) -> Self {
        Self {
            client: Client::Nobody,
            event: Event::Block(Box::new(block)),
        }
    }

    /// Time has passed.
    pub fn tick() -> Self {
        Self {
            client: Client::Nobody,
            event: Event::Tick,
        }
    }

    /// The longest time that it takes, where blocks take `block_ms`.
    fn longest_ms(&self, block_ms: u64) -> u64 {
        match self.event {
            Event::Branch { .. } | Event::Block(_) => block_ms,
            _ => SMALL_MS,
        }
    }
}

impl Client {
    /// Whether it is a user.
    fn is_user(&self) -> bool {
        matches!(self, Self::User)
    }

    /// What the network hears of the answer.
    fn hears(self, answer: Option<Answer>) -> Option<Input> {
        match (self, answer) {
            (Self::Admit { token, hash }, Some(Answer::Transaction(result))) => {
                Some(Input::Admitted {
                    token,
                    hash,
                    result,
                })
            }
            (Self::Import { blocks }, Some(Answer::Branch(result))) => {
                Some(Input::Imported { blocks, result })
            }
            (client @ (Self::Admit { .. } | Self::Import { .. }), answer) => {
                panic!("{client:?} is answered {answer:?}")
            }
            (Self::User | Self::Nobody, _) => None,
        }
    }
}

impl World {
    /// Gives the core of a node something to do.
    pub(super) fn give(&mut self, node: usize, job: Job) {
        let state = &mut self.nodes[node];
        if state.running.is_none() {
            return;
        }
        state.jobs.push_back(job);
        if !state.works {
            self.begin_job(node);
        }
    }

    fn begin_job(&mut self, node: usize) {
        let state = &mut self.nodes[node];
        let Some(job) = state.jobs.front() else {
            return;
        };
        state.works = true;
        let epoch = state.epoch;
        let longest_ms = job.longest_ms(self.scenario.block_ms);
        let all_ms = self.rng.random_range(1..=longest_ms);
        // The store changes on the way; until the end the network does not know.
        let wait_ms = self.rng.random_range(0..=all_ms);
        let rest_ms = all_ms - wait_ms;
        self.after(
            wait_ms,
            Happening::Work {
                node,
                epoch,
                rest_ms,
            },
        );
    }

    /// The core handles the first of its jobs.
    pub(super) fn handle_job(&mut self, node: usize, rest_ms: u64) {
        let now = self.now(node);
        let Some(Job { event, client }) = self.nodes[node].jobs.pop_front() else {
            return;
        };
        match self.nodes[node].core(now, event, client.is_user()) {
            Err(error) => self.failed(node, &error),
            Ok((answer, mut inputs)) => {
                self.count_reorgs(&inputs);
                self.settle();
                inputs.extend(client.hears(answer));
                let epoch = self.nodes[node].epoch;
                self.after(
                    rest_ms,
                    Happening::Told {
                        node,
                        epoch,
                        inputs,
                    },
                );
            }
        }
    }

    /// The network hears of what the core has done, which goes on.
    pub(super) fn told(&mut self, node: usize, inputs: Vec<Input>) {
        for input in inputs {
            self.input(node, input);
        }
        self.nodes[node].works = false;
        self.begin_job(node);
    }

    fn count_reorgs(&mut self, inputs: &[Input]) {
        for input in inputs {
            if let Input::Moved(moved) = input
                && !moved.disconnected.is_empty()
            {
                self.summary.reorgs += 1;
                self.summary.deepest = self.summary.deepest.max(moved.disconnected.len());
            }
        }
    }
}
