//! A mining thread.

use super::{Share, queue::Queue};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// What the threads did since the start, all together.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub hashes: AtomicU64,
    /// Nanoseconds spent on work, with the rests that a small share asks for.
    pub worked_ns: AtomicU64,
}

/// Searches chunk after chunk until the queue stops.
pub(super) fn run(queue: &Queue, counters: &Counters, share: Share) {
    while let Some(chunk) = queue.claim() {
        let began = Instant::now();
        let found = chunk.search.find(chunk.nonces.clone());
        let computed = began.elapsed();
        let rest = share.rest_after(computed);

        let last = found.unwrap_or(*chunk.nonces.end());
        let tried = u64::from(last.saturating_sub(*chunk.nonces.start())).saturating_add(1);
        counters.add(tried, computed.saturating_add(rest));
        queue.report(&chunk, found);
        if !rest.is_zero() {
            queue.rest(rest);
        }
    }
}

impl Counters {
    fn add(&self, hashes: u64, worked: Duration) {
        let worked_ns = u64::try_from(worked.as_nanos()).unwrap_or(u64::MAX);
        self.worked_ns.fetch_add(worked_ns, Ordering::Relaxed);
        self.hashes.fetch_add(hashes, Ordering::Relaxed);
    }
}
