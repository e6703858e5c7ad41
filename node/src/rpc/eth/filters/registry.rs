//! The filters that were made and not given back, few and not for long.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::U128;
use parking_lot::Mutex;

use super::Filter;
use crate::rpc::error::RpcError;

/// Filters at once. One takes a hundred bytes and what it filters by: 150 KB at most.
const MAX_FILTERS: usize = 512;
/// A filter that nobody asks for so long is forgotten; geth's time.
const IDLE: Duration = Duration::from_secs(5 * 60);

/// Filters by their ids.
#[derive(Debug, Default)]
pub struct Filters(Mutex<HashMap<U128, Entry>>);

#[derive(Debug)]
struct Entry {
    filter: Arc<Shared>,
    used: Instant,
}

/// A filter that several requests may ask for at once, and how often it was changed.
#[derive(Debug)]
pub struct Shared(Mutex<(Filter, u64)>);

impl Shared {
    /// The filter as it is now.
    pub fn get(&self) -> Filter {
        self.0.lock().0.clone()
    }

    /// Lets `work` change the filter. Nobody waits for it, since it has a copy; it begins anew if
    /// another request was faster. So of two at once each gets what the other does not.
    ///
    /// # Errors
    /// As `work` has them; then the filter is as it was.
    pub fn update<T>(
        &self,
        work: impl Fn(&mut Filter) -> Result<T, RpcError>,
    ) -> Result<T, RpcError> {
        loop {
            let (mut filter, changes) = self.0.lock().clone();
            let done = work(&mut filter)?;
            let mut kept = self.0.lock();
            if kept.1 == changes {
                *kept = (filter, changes.wrapping_add(1));
                return Ok(done);
            }
        }
    }
}

impl Filters {
    /// Keeps `filter` under `id`.
    ///
    /// # Errors
    /// If there are too many.
    pub fn insert(&self, now: Instant, id: U128, filter: Filter) -> Result<(), RpcError> {
        let mut filters = self.0.lock();
        expire(&mut filters, now);
        if filters.len() >= MAX_FILTERS {
            return Err(RpcError::refused(format!(
                "too many filters: {MAX_FILTERS} are in use; give back what is not needed with eth_uninstallFilter, or use eth_getLogs"
            )));
        }
        let filter = Arc::new(Shared(Mutex::new((filter, 0))));
        filters.insert(id, Entry { filter, used: now });
        Ok(())
    }

    /// The filter with this id, which is in use again from `now` on.
    ///
    /// # Errors
    /// If there is none.
    pub fn get(&self, now: Instant, id: U128) -> Result<Arc<Shared>, RpcError> {
        let mut filters = self.0.lock();
        expire(&mut filters, now);
        let entry = filters.get_mut(&id).ok_or_else(|| {
            RpcError::refused(
                "filter not found: none has this id, or nobody asked for it for five minutes",
            )
        })?;
        entry.used = now;
        Ok(Arc::clone(&entry.filter))
    }

    /// Forgets a filter; whether there was one.
    pub fn remove(&self, id: U128) -> bool {
        self.0.lock().remove(&id).is_some()
    }
}

fn expire(filters: &mut HashMap<U128, Entry>, now: Instant) {
    filters.retain(|_, entry| now.saturating_duration_since(entry.used) < IDLE);
}

/// An id that nobody guesses: who knows it may read the filter and take it away.
pub fn new_id() -> U128 {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("Linux has random bytes for whoever asks");
    U128::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> Filter {
        Filter::Pending {
            seen: 0,
            whole: false,
        }
    }

    #[test]
    fn a_filter_lives_as_long_as_it_is_used() {
        let (filters, start) = (Filters::default(), Instant::now());
        let [used, idle] = [new_id(), new_id()];
        filters.insert(start, used, pending()).unwrap();
        filters.insert(start, idle, pending()).unwrap();
        let later = start + IDLE - Duration::from_secs(1);
        assert!(filters.get(later, used).is_ok());
        assert!(filters.get(start + IDLE, idle).is_err());
        assert!(
            filters
                .get(later + IDLE - Duration::from_secs(1), used)
                .is_ok()
        );
        assert!(filters.remove(used) && !filters.remove(used) && !filters.remove(idle));
    }

    #[test]
    fn whoever_asks_at_once_waits_for_nobody_and_misses_nothing() {
        let shared = Shared(Mutex::new((pending(), 0)));
        let count = |by: u64| {
            move |filter: &mut Filter| {
                let Filter::Pending { seen, .. } = filter else {
                    panic!("another filter: {filter:?}");
                };
                *seen += by;
                Ok(*seen)
            }
        };
        let runs = std::cell::Cell::new(0);
        let seen = shared.update(|filter| {
            assert!(shared.0.try_lock().is_some(), "nobody has to wait");
            runs.set(runs.get() + 1);
            if runs.get() == 1 {
                assert_eq!(shared.update(count(10)), Ok(10));
            }
            count(1)(filter)
        });
        assert_eq!((seen, runs.get()), (Ok(11), 2));
        let failed: Result<(), _> = shared.update(|filter| {
            count(1)(filter)?;
            Err(RpcError::Stopping)
        });
        assert_eq!(failed, Err(RpcError::Stopping));
        assert!(matches!(shared.get(), Filter::Pending { seen: 11, .. }));
    }

    #[test]
    fn only_so_many_are_kept() {
        let (filters, start) = (Filters::default(), Instant::now());
        for _ in 0..MAX_FILTERS {
            filters.insert(start, new_id(), pending()).unwrap();
        }
        let error = filters.insert(start, new_id(), pending()).unwrap_err();
        assert!(error.to_string().starts_with("too many filters"), "{error}");
        filters.insert(start + IDLE, new_id(), pending()).unwrap();
        assert_eq!(filters.0.lock().len(), 1, "the idle ones have made room");
    }
}
