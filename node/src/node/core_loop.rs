//! The thread around the core: brings events to it and carries out its actions.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, Bytes};
use cairn_genesis::VerifiedBlock;
use cairn_miner::HashRate;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::report;
use crate::chain::{BlockError, Moved, TemplateRequest};
use crate::clock;
use crate::core::{Action, Answer, Core, Event, Now};
use crate::mining::{Driver, Wanted};
use crate::network;
use crate::network::service::{ToCore, ToNetwork};
use crate::rpc::{CoreRequest, MiningStatus, PoolMirror, SubmitError};
use crate::store::StoreError;

/// How often time alone is looked at: future blocks, refreshed templates, the hash
/// rate. Trades wake-ups of an idle node against the age of those.
const TICK: Duration = Duration::from_millis(200);

/// What reaches the core's thread.
pub(super) enum Input {
    /// From RPC.
    Request {
        /// The request.
        request: CoreRequest,
        /// Given back once the request is done with.
        place: OwnedSemaphorePermit,
    },
    /// From the miner's threads.
    Miner(cairn_miner::Event),
    /// From peers.
    Network(ToCore),
    /// End.
    Stop,
}

pub(super) struct CoreLoop {
    core: Core,
    driver: Driver,
    beneficiary: Address,
    pool: Arc<PoolMirror>,
    mining: Arc<MiningStatus>,
    head: watch::Sender<B256>,
    network: Option<ToNetwork>,
    rate: HashRate,
    last_tick: Instant,
    /// Seconds until the clock lets a block stand on the tip, if it does not yet.
    wait_s: Option<u64>,
    wait_lines: report::WaitLines,
}

impl CoreLoop {
    pub(super) fn new(
        core: Core,
        driver: Driver,
        beneficiary: Address,
        pool: Arc<PoolMirror>,
        mining: Arc<MiningStatus>,
        head: watch::Sender<B256>,
        network: Option<ToNetwork>,
    ) -> Self {
        Self {
            core,
            driver,
            beneficiary,
            pool,
            mining,
            head,
            network,
            rate: HashRate::default(),
            last_tick: Instant::now(),
            wait_s: None,
            wait_lines: report::WaitLines::default(),
        }
    }

    /// Runs until told to stop. An error is our own failure: nothing is taken in
    /// after it.
    pub(super) fn run(mut self, inputs: &Receiver<Input>) -> Result<(), StoreError> {
        loop {
            self.mine()?;
            self.show_activity();
            let wait = TICK.saturating_sub(self.last_tick.elapsed());
            match inputs.recv_timeout(wait) {
                Ok(Input::Request { request, place }) => {
                    self.request(request)?;
                    drop(place);
                }
                Ok(Input::Miner(event)) => self.miner_event(event)?,
                Ok(Input::Network(message)) => self.take_from_network(message)?,
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.last_tick.elapsed() >= TICK {
                self.tick()?;
            }
        }
    }

    /// Carries out actions; returns the answer among them.
    pub(super) fn carry_out(&mut self, actions: Vec<Action>) -> Option<Answer> {
        let mut answer = None;
        let mut undone = false;
        for action in actions {
            match action {
                Action::Pool { added, removed } => {
                    if !added.is_empty() {
                        self.driver.pool_changed();
                    }
                    let returned = undone.then(|| added.clone());
                    self.pool.apply(added, removed);
                    if let Some(returned) = returned {
                        self.tell_network(network::Input::Pooled(returned));
                    }
                }
                Action::Moved(moved) => {
                    undone = !moved.disconnected.is_empty();
                    self.moved(&moved);
                    self.tell_network(network::Input::Moved(moved));
                }
                Action::Answer(given) => answer = Some(given),
            }
        }
        answer
    }

    fn moved(&mut self, moved: &Moved) {
        self.driver.head_changed();
        report::moved(moved, self.rate.per_second());
        self.head.send_replace(moved.to.hash);
    }

    /// A network that has ended does not want to know any more.
    fn tell_network(&self, input: network::Input) {
        if let Some(network) = &self.network {
            let _ = network.send(input);
        }
    }

    /// Takes in what peers sent, and tells the network what became of it.
    fn take_from_network(&mut self, message: ToCore) -> Result<(), StoreError> {
        match message {
            ToCore::Admit { token, transaction } => {
                let hash = transaction.hash();
                let answer = self.handle(Event::Transaction(transaction))?;
                if let Some(Answer::Transaction(result)) = answer {
                    self.tell_network(network::Input::Admitted {
                        token,
                        hash,
                        result,
                    });
                }
            }
            ToCore::Import {
                blocks,
                proven_work,
            } => {
                let hashes = blocks.iter().map(VerifiedBlock::hash).collect();
                let answer = self.handle(Event::Branch {
                    blocks,
                    proven_work,
                })?;
                if let Some(Answer::Branch(result)) = answer {
                    self.tell_network(network::Input::Imported {
                        blocks: hashes,
                        result,
                    });
                }
            }
        }
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Result<Option<Answer>, StoreError> {
        let actions = self.core.handle(clock::now(), event)?;
        Ok(self.carry_out(actions))
    }

    fn request(&mut self, request: CoreRequest) -> Result<(), StoreError> {
        // A reply that nobody waits for any more is dropped.
        match request {
            CoreRequest::Submit { transaction, reply } => {
                let news = self.network.is_some().then(|| transaction.clone());
                let answer = self.handle(Event::Transaction(transaction))?;
                if let Some(Answer::Transaction(result)) = answer {
                    if let (Ok(()), Some(transaction)) = (&result, news) {
                        self.tell_network(network::Input::Pooled(vec![transaction]));
                    }
                    let _ = reply.send(result.map_err(SubmitError::Refused));
                }
            }
            CoreRequest::Invalidate { hash, reply } => {
                let answer = self.handle(Event::Invalidate(hash))?;
                let _ = reply.send(operator(answer));
            }
            CoreRequest::Reconsider { hash, reply } => {
                let answer = self.handle(Event::Reconsider(hash))?;
                let _ = reply.send(operator(answer));
            }
            CoreRequest::Why { hash, reply } => {
                let _ = reply.send(self.core.pool().why(hash));
            }
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), StoreError> {
        self.last_tick = Instant::now();
        let (hashes, worked) = (self.driver.hashes(), self.driver.worked());
        let rate = self.rate.update(hashes, worked).unwrap_or_default();
        self.mining
            .update(|mining| mining.hashes_per_second = rate as u64);
        self.handle(Event::Tick).map(drop)
    }

    /// Not before new work has been given out: a miner that goes from one block to the next does
    /// not stop in between.
    fn show_activity(&self) {
        let active = self.driver.is_active();
        self.mining.update(|mining| {
            mining.active = active;
            mining.wait_s = self.wait_s;
        });
    }

    fn mine(&mut self) -> Result<(), StoreError> {
        let now = clock::now();
        let executable = self.core.pool().pending_and_queued().0 > 0;
        if self.driver.wanted(now, executable) == Wanted::Nothing {
            return Ok(());
        }
        self.wait_s = None;
        let request = TemplateRequest {
            now_s: now.s(),
            beneficiary: self.beneficiary,
            extra: Bytes::new(),
        };
        match self.handle(Event::Template(request))? {
            Some(Answer::Template(Ok(template))) => self.driver.set_template(now, *template),
            Some(Answer::Template(Err(error))) => self.no_template(now, &error),
            _ => {}
        }
        Ok(())
    }

    fn no_template(&mut self, now: Now, error: &BlockError) {
        tracing::debug!(%error, "no work for the miner now");
        if let BlockError::NotYet(not_yet) = error {
            let wait_s = not_yet.timestamp.saturating_sub(not_yet.latest);
            self.wait_lines.report(now, wait_s);
            self.wait_s = Some(wait_s);
        }
        self.driver.no_template(now);
    }

    fn miner_event(&mut self, event: cairn_miner::Event) -> Result<(), StoreError> {
        let now: Now = clock::now();
        let spec = Arc::clone(self.core.spec());
        match self.driver.event(&spec, now, event) {
            Some(block) => self.mined(block),
            None => Ok(()),
        }
    }

    fn mined(&mut self, block: VerifiedBlock) -> Result<(), StoreError> {
        let hash = block.hash();
        if let Some(Answer::Block(Err(error))) = self.handle(Event::Block(Box::new(block)))? {
            report::own_block_refused(hash, &error);
        }
        Ok(())
    }
}

fn operator(answer: Option<Answer>) -> Result<(), String> {
    match answer {
        Some(Answer::Operator(result)) => result.map_err(|error: BlockError| error.to_string()),
        _ => Ok(()),
    }
}
