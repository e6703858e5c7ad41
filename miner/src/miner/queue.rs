//! The current work under one lock: who may search what, and whose report still counts.

use super::{Event, Work};
use crate::Search;
use parking_lot::{Condvar, Mutex};
use std::{
    fmt,
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, Instant},
};

/// Nonces that a thread takes at once. At 1 to 10 million hashes per second they last 1 to 8 ms: short
/// enough to react to new work, long enough that the lock costs nothing.
const CHUNK_NONCES: u64 = 8_192;

/// Called for every event, under the lock.
pub(super) type Callback = Box<dyn Fn(Event) + Send + Sync>;

/// Shared by the miner and its threads.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Signalled when threads may have something to do: work, resumption, or the end.
    changed: Condvar,
    on_event: Callback,
}

#[derive(Default)]
struct State {
    job: Option<Job>,
    /// How many jobs there were. Unlike a work's id, which is the caller's, this never repeats.
    jobs: u64,
    paused: bool,
    stopping: bool,
}

/// Work in progress.
struct Job {
    number: u64,
    work_id: u64,
    search: Arc<Search>,
    /// The first nonce that no thread has taken, and the first beyond the work.
    next: u64,
    end: u64,
    /// Chunks that were taken and not reported.
    pending: usize,
}

/// Some nonces of a job, for one thread.
pub(super) struct Chunk {
    job: u64,
    pub search: Arc<Search>,
    pub nonces: RangeInclusive<u32>,
}

impl Queue {
    pub fn new(on_event: Callback) -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            on_event,
        }
    }

    pub fn set_work(&self, work: Option<Work>) {
        // Half a hash of computation: better outside the lock.
        let prepared = work.map(|work| (Arc::new(Search::new(&work.header, &work.target)), work));
        let mut state = self.state.lock();
        state.jobs = state.jobs.wrapping_add(1);
        let number = state.jobs;
        state.job = prepared.map(|(search, work)| Job::new(number, search, &work));
        self.end_if_exhausted(&mut state);
        self.changed.notify_all();
    }

    pub fn set_paused(&self, paused: bool) {
        self.state.lock().paused = paused;
        self.changed.notify_all();
    }

    pub fn stop(&self) {
        self.state.lock().stopping = true;
        self.changed.notify_all();
    }

    /// Waits for nonces to search. `None` means that the miner stops.
    pub fn claim(&self) -> Option<Chunk> {
        let mut state = self.state.lock();
        loop {
            if state.stopping {
                return None;
            }
            if !state.paused
                && let Some(chunk) = state.job.as_mut().and_then(Job::claim)
            {
                return Some(chunk);
            }
            self.changed.wait(&mut state);
        }
    }

    /// Takes the result of a chunk. One of replaced or finished work is ignored.
    pub fn report(&self, chunk: &Chunk, found: Option<u32>) {
        let mut state = self.state.lock();
        let Some(job) = state.job.as_mut().filter(|job| job.number == chunk.job) else {
            return;
        };
        job.pending = job.pending.saturating_sub(1);
        match found {
            Some(nonce) => {
                let work_id = job.work_id;
                state.job = None;
                (self.on_event)(Event::Found { work_id, nonce });
            }
            None => self.end_if_exhausted(&mut state),
        }
    }

    /// Lets a thread rest. Only the end of the miner cuts it short.
    pub fn rest(&self, duration: Duration) {
        let Some(until) = Instant::now().checked_add(duration) else {
            return;
        };
        let mut state = self.state.lock();
        while !state.stopping && !self.changed.wait_until(&mut state, until).timed_out() {}
    }

    fn end_if_exhausted(&self, state: &mut State) {
        if let Some(job) = state.job.take_if(|job| job.is_exhausted()) {
            (self.on_event)(Event::Exhausted {
                work_id: job.work_id,
            });
        }
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

impl Job {
    fn new(number: u64, search: Arc<Search>, work: &Work) -> Self {
        let next = u64::from(*work.nonces.start());
        let end = u64::from(*work.nonces.end()).saturating_add(1);
        Self {
            number,
            work_id: work.id,
            search,
            next,
            end,
            pending: 0,
        }
    }

    /// Takes the next chunk, if any is left.
    fn claim(&mut self) -> Option<Chunk> {
        if self.next >= self.end {
            return None;
        }
        let after = self.end.min(self.next.saturating_add(CHUNK_NONCES));
        let first = u32::try_from(self.next).ok()?;
        let last = u32::try_from(after.saturating_sub(1)).ok()?;
        self.next = after;
        self.pending = self.pending.saturating_add(1);
        Some(Chunk {
            job: self.number,
            search: Arc::clone(&self.search),
            nonces: first..=last,
        })
    }

    fn is_exhausted(&self) -> bool {
        self.next >= self.end && self.pending == 0
    }
}
