//! A mining thread.

use super::{Share, queue::Queue};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// Searches chunk after chunk until the queue stops.
pub(super) fn run(queue: &Queue, hashes: &AtomicU64, share: Share) {
    while let Some(chunk) = queue.claim() {
        let began = Instant::now();
        let found = chunk.search.find(chunk.nonces.clone());
        let rest = share.rest_after(began.elapsed());

        let last = found.unwrap_or(*chunk.nonces.end());
        let tried = u64::from(last.saturating_sub(*chunk.nonces.start())).saturating_add(1);
        hashes.fetch_add(tried, Ordering::Relaxed);
        queue.report(&chunk, found);
        if !rest.is_zero() {
            queue.rest(rest);
        }
    }
}
