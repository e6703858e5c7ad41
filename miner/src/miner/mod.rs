//! The worker threads: work in, events out.
//!
//! ```text
//! set_work ──► Queue ◄──claim── worker: search one chunk ──report──► Queue ──► callback
//! ```
//!
//! - `queue` holds the current work under one lock, cuts it into chunks and decides which reports
//!   still count;
//! - `worker` is a thread's loop;
//! - `share` limits the part of the time in which the threads compute.
//!
//! The lock is taken twice per chunk, that is once in about a millisecond per thread.

mod queue;
mod share;
mod worker;

pub use share::Share;

use queue::Queue;
use std::{
    num::NonZeroUsize,
    ops::RangeInclusive,
    sync::{Arc, atomic::Ordering},
    thread::{self, JoinHandle},
    time::Duration,
};
use worker::Counters;

/// Most threads of a miner. More than any machine runs at once, and few enough that the system gives
/// them: where it cannot set up the stack of one, the whole process would end without a word.
pub const MAX_THREADS: usize = 1_024;

/// A header to find a nonce for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Chosen by the caller; events name it.
    pub id: u64,
    /// The 80 bytes. Those of the nonce (the last four) do not matter.
    pub header: [u8; 80],
    /// The highest number that a hash may be, big-endian.
    pub target: [u8; 32],
    /// The nonces to try. An empty range is exhausted at once.
    pub nonces: RangeInclusive<u32>,
}

impl Work {
    /// Work over all nonces.
    pub fn new(id: u64, header: [u8; 80], target: [u8; 32]) -> Self {
        Self {
            id,
            header,
            target,
            nonces: 0..=u32::MAX,
        }
    }
}

/// The end of a piece of work. Each has one at most: the first nonce found ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// With this nonce the header meets its target.
    Found {
        /// The work's id.
        work_id: u64,
        /// The nonce; not necessarily the lowest one.
        nonce: u32,
    },
    /// No nonce of the work's range meets the target.
    Exhausted {
        /// The work's id.
        work_id: u64,
    },
}

/// How much of the machine to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Worker threads.
    pub threads: NonZeroUsize,
    /// The part of the time in which each of them computes.
    pub share: Share,
}

impl Default for Options {
    /// As many threads as the machine runs at once, all of the time.
    fn default() -> Self {
        let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            threads,
            share: Share::FULL,
        }
    }
}

/// Why a miner could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// More threads than a miner may have.
    #[error("{got} threads are too many: at most {MAX_THREADS} are possible")]
    TooMany {
        /// How many were asked for.
        got: usize,
    },
    /// The system gave no thread.
    #[error("the system gives no more than {number} threads ({source}); use fewer")]
    Spawn {
        /// Which of the threads, from 0; so many were started before.
        number: usize,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Mining threads. They compute while there is work, and sleep while there is none. Dropping the miner
/// stops and joins them, which takes no longer than one chunk.
#[derive(Debug)]
pub struct Miner {
    queue: Arc<Queue>,
    counters: Arc<Counters>,
    threads: Vec<JoinHandle<()>>,
}

impl Miner {
    /// Starts the threads, without work.
    ///
    /// `on_event` runs on a worker thread (on the caller's for an empty range), under the lock that
    /// [`Miner::set_work`] takes: so no event of older work comes after `set_work` has returned. It must
    /// be quick (send on a channel) and must neither call nor drop this miner.
    ///
    /// # Errors
    ///
    /// If there are too many threads, or the system refuses one; those already started are stopped.
    pub fn start(
        options: Options,
        on_event: impl Fn(Event) + Send + Sync + 'static,
    ) -> Result<Self, StartError> {
        let wanted = options.threads.get();
        if wanted > MAX_THREADS {
            return Err(StartError::TooMany { got: wanted });
        }
        let queue = Arc::new(Queue::new(Box::new(on_event)));
        let mut miner = Self {
            queue,
            counters: Arc::default(),
            threads: Vec::new(),
        };
        for number in 0..wanted {
            let (queue, counters) = (Arc::clone(&miner.queue), Arc::clone(&miner.counters));
            let thread = thread::Builder::new()
                .name(format!("miner-{number}"))
                .spawn(move || worker::run(&queue, &counters, options.share))
                .map_err(|source| StartError::Spawn { number, source })?;
            miner.threads.push(thread);
        }
        Ok(miner)
    }

    /// Replaces the work, also by equal work, which starts anew. Threads turn to it after the chunk at
    /// hand: a few milliseconds, or longer as a small [`Share`] makes them rest. `None` makes them sleep.
    pub fn set_work(&self, work: Option<Work>) {
        self.queue.set_work(work);
    }

    /// Stops computing after the chunks at hand. The work is kept, and may be replaced meanwhile.
    pub fn pause(&self) {
        self.queue.set_paused(true);
    }

    /// Goes on where [`Miner::pause`] stopped.
    pub fn resume(&self) {
        self.queue.set_paused(false);
    }

    /// Hashes computed since the start by all threads, counted per chunk. See [`crate::HashRate`].
    pub fn hashes(&self) -> u64 {
        self.counters.hashes.load(Ordering::Relaxed)
    }

    /// How long the miner has worked since the start, counted per chunk, as a mean over its threads.
    /// Rests that a small [`Share`] asks for count; waiting for work and pauses do not.
    pub fn worked(&self) -> Duration {
        let worked_ns = self.counters.worked_ns.load(Ordering::Relaxed);
        let threads = u64::try_from(self.threads.len()).unwrap_or(u64::MAX);
        Duration::from_nanos(worked_ns / threads.max(1))
    }
}

impl Drop for Miner {
    fn drop(&mut self) {
        self.queue.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked (in the callback) has said so on stderr.
            let _ = thread.join();
        }
    }
}
