//! The filters that were made and not given back, few and not for long.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
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
    filter: Arc<Mutex<Filter>>,
    used: Instant,
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
        let filter = Arc::new(Mutex::new(filter));
        filters.insert(id, Entry { filter, used: now });
        Ok(())
    }

    /// The filter with this id, which is in use again from `now` on.
    ///
    /// # Errors
    /// If there is none.
    pub fn get(&self, now: Instant, id: U128) -> Result<Arc<Mutex<Filter>>, RpcError> {
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
    // Keys of std's hash tables are random, and other ones each time.
    let random = || RandomState::new().build_hasher().finish();
    U128::from(random()) << 64 | U128::from(random())
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
