//! The world as the machine sees it: four questions, no answers written back.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};

/// Read access to the state that a transaction starts from.
///
/// The machine asks for an account at most once per transaction and keeps the answer, so an
/// implementation needs no cache of its own for that. Errors mean that the state could not be read;
/// they never mean "absent".
pub trait State {
    /// Why the state could not be read.
    type Error: std::error::Error;

    /// The account at `address`; `None` if there is none (absent is not the same as empty).
    fn account(&self, address: Address) -> Result<Option<AccountInfo>, Self::Error>;

    /// The value of a storage slot; zero if it was never written.
    fn storage(&self, address: Address, slot: U256) -> Result<U256, Self::Error>;

    /// The code with this keccak-256 hash, which some account returned by [`State::account`] named.
    /// Never called for the hash of empty code.
    fn code(&self, code_hash: B256) -> Result<Bytes, Self::Error>;

    /// The hash of an ancestor block (display order), by number.
    fn block_hash(&self, number: u64) -> Result<B256, Self::Error>;
}

/// What the state stores for one account, without its code and storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    /// Transactions sent (or contracts created) by the account so far.
    pub nonce: u64,
    /// Balance in wei.
    pub balance: U256,
    /// keccak-256 of the code; [`KECCAK256_EMPTY`] if there is none.
    pub code_hash: B256,
    /// Whether any storage slot is not zero. Rules ask for it only where an account has neither nonce
    /// nor code (EIP-7610), so only there must it be exact.
    pub has_storage: bool,
}

impl AccountInfo {
    /// EIP-161: "An account is considered empty when it has no code and zero nonce and zero balance."
    pub fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && !self.has_code()
    }

    /// Whether the account has code, a delegation indicator included.
    pub fn has_code(&self) -> bool {
        self.code_hash != KECCAK256_EMPTY
    }
}

impl Default for AccountInfo {
    /// An empty account.
    fn default() -> Self {
        Self {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK256_EMPTY,
            has_storage: false,
        }
    }
}
