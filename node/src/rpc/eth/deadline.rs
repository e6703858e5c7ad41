//! How long a call may take.
//!
//! The machine has no clock. What makes a call slow is what it reads, and how often it is run,
//! which begins with reading: both end when time is up. What one run computes is bounded by its gas: with all that
//! a call may have (`request::CALL_GAS_CAP`) the slowest code, which does nothing but verify
//! signatures on P-256, takes two seconds.

use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_vm::{AccountInfo, State};

use crate::rpc::error::RpcError;
use crate::store::StoreError;

/// How long a request may run calls; geth's.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// The end of a request's time.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    timeout: Duration,
    end: Instant,
}

impl Deadline {
    /// `timeout` after `now`.
    pub fn new(now: Instant, timeout: Duration) -> Self {
        Self {
            timeout,
            end: now + timeout,
        }
    }

    /// Goes on while there is time.
    ///
    /// # Errors
    /// If there is none left.
    pub fn check(self) -> Result<(), Unread> {
        match Instant::now() >= self.end {
            true => Err(Unread::Late(self.timeout)),
            false => Ok(()),
        }
    }
}

/// Why a state was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Time is up. geth's words, and what helps.
    #[error(
        "execution aborted (timeout = {0:?}): the call takes too long here; let it do less, or give it less gas"
    )]
    Late(Duration),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unread> for RpcError {
    fn from(error: Unread) -> Self {
        match error {
            Unread::Late(_) => Self::refused(error.to_string()),
            Unread::Store(error) => error.into(),
        }
    }
}

/// A state that can be read until the deadline.
pub struct Timed<S> {
    state: S,
    deadline: Deadline,
}

impl<S> Timed<S> {
    /// `state`, for so long.
    pub fn new(state: S, deadline: Deadline) -> Self {
        Self { state, deadline }
    }
}

impl<S: State<Error = StoreError>> State for Timed<S> {
    type Error = Unread;

    fn account(&self, address: Address) -> Result<Option<AccountInfo>, Unread> {
        self.deadline.check()?;
        Ok(self.state.account(address)?)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, Unread> {
        self.deadline.check()?;
        Ok(self.state.storage(address, slot)?)
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, Unread> {
        self.deadline.check()?;
        Ok(self.state.code(code_hash)?)
    }

    fn block_hash(&self, number: u64) -> Result<B256, Unread> {
        self.deadline.check()?;
        Ok(self.state.block_hash(number)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::StateAt;
    use crate::store::{Memory, Store};

    #[test]
    fn nothing_is_read_when_time_is_up() {
        let store = Memory::default();
        let reader = store.snapshot();
        let state = StateAt::new(&*reader, 0, 0, 0).unwrap();
        let timed = |timeout| Timed::new(state, Deadline::new(Instant::now(), timeout));
        let account = |timeout| timed(timeout).account(Address::ZERO);
        assert_eq!(account(Duration::from_secs(3_600)), Ok(None));
        let late = Err(Unread::Late(Duration::ZERO));
        assert_eq!(account(Duration::ZERO), late);
        let slot = timed(Duration::ZERO).storage(Address::ZERO, U256::ZERO);
        assert_eq!(slot.err(), late.err());
    }

    #[test]
    fn the_words_are_geths() {
        let words = Unread::Late(CALL_TIMEOUT).to_string();
        assert!(
            words.starts_with("execution aborted (timeout = 5s)"),
            "{words}"
        );
    }
}
