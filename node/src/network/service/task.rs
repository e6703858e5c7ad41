//! The one task that owns the swarm and the machine.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use futures::StreamExt;
use libp2p::Swarm;
use libp2p::request_response::{InboundRequestId, OutboundRequestId, ResponseChannel};
use libp2p::swarm::SwarmEvent;
use tokio::sync::mpsc::{self, Receiver, UnboundedReceiver};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::behaviour::{Behaviour, BehaviourEvent};
use super::book::Book;
use super::checks::{Checks, Done};
use super::codec::Received;
use super::dial::Dialer;
use super::file::Saver;
use super::gossip::Topics;
use super::handle::Command;
use super::heard::Hearsay;
use super::last_words::LastWords;
use super::link::{Line, Passage};
use super::progress::Progress;
use super::random::Random;
use super::serving::{self, Place, Serving};
use super::sessions::Sessions;
use super::underway::Underway;
use super::useless::Useless;
use super::why::Questions;
use super::{NetworkConfig, Parts};
use crate::clock;
use crate::core::Now;
use crate::network::bucket::Bucket;
use crate::network::{
    InboundId, Input, Network, Peer, RequestId, Response, Status, SyncStatus, Verdict, World,
};
use crate::store::StoreError;

/// How often the machine looks at the time.
const TICK: Duration = Duration::from_millis(100);

/// Lines of the log that strangers can cause, on average and at once.
const LINES_PER_S: u64 = 5;
const LINE_BURST: u64 = 200;

/// A peer's question that has not been answered.
pub(super) enum Asked {
    /// Who are you?
    Hello(ResponseChannel<Received<Status>>),
    /// Anything else.
    Exchange {
        peer: Peer,
        id: InboundRequestId,
        channel: ResponseChannel<Received<Response>>,
    },
}

/// What the task is made from.
pub(super) struct Setup {
    pub swarm: Swarm<Behaviour>,
    pub network: Network,
    pub topics: Topics,
    pub dialer: Dialer,
    pub book: Book,
    pub book_saver: Saver,
    pub bans_saver: Saver,
    pub config: NetworkConfig,
    pub parts: Parts,
    pub sync: watch::Sender<SyncStatus>,
    pub is_public: bool,
}

/// The task.
pub(super) struct Task {
    pub swarm: Swarm<Behaviour>,
    pub network: Network,
    pub topics: Topics,
    pub dialer: Dialer,
    pub book: Book,
    book_saver: Saver,
    bans_saver: Saver,
    pub config: NetworkConfig,
    pub parts: Parts,
    sync: watch::Sender<SyncStatus>,
    pub is_public: bool,

    pub sessions: Sessions,
    pub last_words: LastWords,
    /// Lines of the log that strangers cause.
    pub lines: Bucket,
    pub questions: Questions,
    pub hearsay: Hearsay,
    pub useless: Useless,
    /// Statuses that we have asked for.
    pub hellos: HashMap<OutboundRequestId, Peer>,
    /// Requests of ours.
    pub requests: HashMap<OutboundRequestId, (Peer, RequestId)>,
    /// Questions of peers.
    pub asked: HashMap<InboundId, Asked>,
    pub next_asked: u64,
    /// Answers that are on their way to a peer.
    pub underway: Underway<InboundRequestId>,
    pub checks: Checks,
    pub serving: Serving,
    /// Places that stay taken until the next tick: peers that are left for what they do not read
    /// need a moment to be gone, and their answers with them.
    pub kept_places: Vec<Place>,
    line: Line,
    progress: Progress,
    /// What the machine has to hear of before all else.
    pub inputs: VecDeque<Input>,
    done: Option<UnboundedReceiver<Done>>,
    answers: Option<UnboundedReceiver<serving::Answer>>,
}

impl Task {
    pub(super) fn new(setup: Setup) -> Self {
        let (done, done_receiver) = mpsc::unbounded_channel();
        let (answers, answers_receiver) = mpsc::unbounded_channel();
        let (spec, store, pool) = (
            setup.parts.spec.clone(),
            setup.parts.store.clone(),
            setup.parts.pool.clone(),
        );
        let useless = Useless::new(Instant::now(), &spec);
        Self {
            line: Line::new(setup.config.link, Random::of_this_run()),
            swarm: setup.swarm,
            network: setup.network,
            topics: setup.topics,
            dialer: setup.dialer,
            book: setup.book,
            book_saver: setup.book_saver,
            bans_saver: setup.bans_saver,
            config: setup.config,
            parts: setup.parts,
            sync: setup.sync,
            is_public: setup.is_public,
            sessions: Sessions::default(),
            last_words: LastWords::default(),
            lines: Bucket::new(clock::now().ms, LINE_BURST, LINES_PER_S),
            questions: Questions::default(),
            hearsay: Hearsay::default(),
            useless,
            hellos: HashMap::new(),
            requests: HashMap::new(),
            asked: HashMap::new(),
            next_asked: 0,
            underway: Underway::default(),
            checks: Checks::new(spec, done),
            serving: Serving::new(store, pool, answers),
            kept_places: Vec::new(),
            progress: Progress::default(),
            inputs: VecDeque::new(),
            done: Some(done_receiver),
            answers: Some(answers_receiver),
        }
    }

    /// Runs until it is stopped, or our own failure ends it.
    pub(super) async fn run(
        mut self,
        early: Vec<SwarmEvent<BehaviourEvent>>,
        mut commands: Receiver<Command>,
        mut core: UnboundedReceiver<Input>,
        mut stopped: oneshot::Receiver<()>,
    ) -> Result<(), StoreError> {
        let (Some(mut done), Some(mut answers)) = (self.done.take(), self.answers.take()) else {
            return Ok(());
        };
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for event in early {
            self.event(event);
        }
        let result = loop {
            let due = self.line.next_due();
            tokio::select! {
                _ = &mut stopped => break Ok(()),
                event = self.swarm.select_next_some() => self.event(event),
                Some(input) = core.recv() => self.inputs.push_back(input),
                Some(done) = done.recv() => {
                    let checked = self.checks.finished(done);
                    self.inputs.extend(checked.into_iter().map(Input::Checked));
                }
                Some((id, read, place)) = answers.recv() => {
                    if let Err(error) = self.served(id, read, place) {
                        break Err(error);
                    }
                }
                Some(command) = commands.recv() => self.command(command),
                () = sleep_until(due) => self.arrivals(),
                _ = tick.tick() => self.tick(),
            }
            if let Err(error) = self.settle() {
                break Err(error);
            }
        };
        if let Err(error) = &result {
            tracing::error!("the network stops: {error}");
        }
        self.book_saver.finish(&self.book).await;
        let bans = &self.swarm.behaviour().gate.bans;
        self.bans_saver.finish(bans).await;
        result
    }

    /// Lets the machine hear everything, and does what it wants, until nothing is left.
    fn settle(&mut self) -> Result<(), StoreError> {
        while let Some(input) = self.inputs.pop_front() {
            let world = World {
                store: &*self.parts.store,
                pool: &self.parts.pool,
            };
            let outputs = self.network.handle(clock::time(), input, &world)?;
            for output in outputs {
                self.output(output);
            }
        }
        Ok(())
    }

    /// Takes in what a peer said, over the line that the operator chose.
    pub(super) fn said(&mut self, input: Input) {
        match self.line.send(Instant::now(), input) {
            Passage::Arrived(input) => self.inputs.push_back(input),
            Passage::UnderWay => {}
            Passage::Lost(input) => {
                if let Input::Gossip { id, .. } = input {
                    self.verdict(id, Verdict::Ignore);
                }
            }
        }
    }

    fn arrivals(&mut self) {
        while let Some(input) = self.line.arrived(Instant::now()) {
            self.inputs.push_back(input);
        }
    }

    fn tick(&mut self) {
        let now = clock::now();
        self.inputs.push_back(Input::Tick);
        self.kept_places.clear();
        self.close_leaving(now.ms);
        self.begin_anew(now.ms);
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        self.hearsay.age(gossip, Instant::now());
        self.questions.expire(now.ms);
        self.dial_due(now);
        self.show_sync(now);
        self.save(now);
    }

    fn show_sync(&mut self, now: Now) {
        let status = self.network.sync_status();
        self.sync.send_if_modified(|shown| {
            let changed = *shown != status;
            *shown = status;
            changed
        });
        if let Some(line) = self.progress.line(now.ms, status) {
            tracing::info!("{line}");
        }
    }

    fn save(&mut self, now: Now) {
        if self.book.dirty && self.book_saver.is_free() {
            self.book.dirty = false;
            self.book_saver.save(&self.book);
        }
        let bans = &mut self.swarm.behaviour_mut().gate.bans;
        if self.bans_saver.is_free() {
            bans.expire(now.ms);
            if std::mem::take(&mut bans.dirty) {
                self.bans_saver.save(bans);
            }
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
