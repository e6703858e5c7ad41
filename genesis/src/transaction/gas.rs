//! Gas that a transaction costs before anything runs, and the bounds on its limit.

use alloy_primitives::TxKind;

use super::{Transaction, TransactionError};

/// Most gas that one transaction may have (EIP-7825).
pub const MAX_TRANSACTION_GAS: u64 = 1 << 24;
/// Longest init code, in bytes (EIP-3860).
pub const MAX_INIT_CODE_BYTES: usize = 49_152;

/// Any transaction.
const BASE: u64 = 21_000;
/// A byte of input that is zero.
const ZERO_BYTE: u64 = 4;
/// A byte of input that is not (EIP-2028).
const NONZERO_BYTE: u64 = 16;
/// Creation of a contract (EIP-2).
const CREATE: u64 = 32_000;
/// A word of init code (EIP-3860).
const INIT_CODE_WORD: u64 = 2;
/// An address of the access list (EIP-2930).
const ACCESS_LIST_ADDRESS: u64 = 2_400;
/// A slot of the access list (EIP-2930).
const ACCESS_LIST_SLOT: u64 = 1_900;
/// An authorization (EIP-7702).
const AUTHORIZATION: u64 = 25_000;
/// A token of input under the floor (EIP-7623); a zero byte is one token, any other four.
const FLOOR_TOKEN: u64 = 10;
const TOKENS_PER_NONZERO_BYTE: u64 = 4;

/// Gas that is used before the first instruction (R-TX-9). No sum can overflow: each item that is
/// counted took bytes of an envelope in memory.
pub fn intrinsic_gas(transaction: &Transaction) -> u64 {
    let (zero, nonzero) = count_bytes(transaction.input());
    let data = zero * ZERO_BYTE + nonzero * NONZERO_BYTE;
    let create = match transaction.to() {
        TxKind::Create => CREATE + INIT_CODE_WORD * (zero + nonzero).div_ceil(32),
        TxKind::Call(_) => 0,
    };
    let access = transaction
        .access_list()
        .iter()
        .map(|item| ACCESS_LIST_ADDRESS + ACCESS_LIST_SLOT * length(&item.storage_keys));
    let authorizations = AUTHORIZATION * length(transaction.authorizations());
    BASE + data + create + access.sum::<u64>() + authorizations
}

/// Gas that is paid at least, however little ran (EIP-7623, R-TX-9).
pub fn floor_gas(transaction: &Transaction) -> u64 {
    let (zero, nonzero) = count_bytes(transaction.input());
    BASE + FLOOR_TOKEN * (zero + TOKENS_PER_NONZERO_BYTE * nonzero)
}

/// Checks the gas limit and the length of init code.
pub(super) fn check(transaction: &Transaction) -> Result<(), TransactionError> {
    let (got, input_bytes) = (transaction.gas_limit(), transaction.input().len());
    // R-TX-10: "gas_limit ≤ 2^24."
    if got > MAX_TRANSACTION_GAS {
        return Err(TransactionError::GasLimitTooHigh {
            limit: MAX_TRANSACTION_GAS,
            got,
        });
    }
    // R-TX-11: "The input of a creation has at most 49,152 bytes."
    if transaction.to().is_create() && input_bytes > MAX_INIT_CODE_BYTES {
        return Err(TransactionError::InitCodeTooLong {
            limit: MAX_INIT_CODE_BYTES,
            got: input_bytes,
        });
    }
    // R-TX-9: "gas_limit is at least the intrinsic gas and at least the floor."
    let required = intrinsic_gas(transaction).max(floor_gas(transaction));
    if got < required {
        return Err(TransactionError::GasLimitTooLow { required, got });
    }
    Ok(())
}

/// Number of zero bytes and of others.
fn count_bytes(input: &[u8]) -> (u64, u64) {
    let zero = input.iter().filter(|byte| **byte == 0).count() as u64;
    (zero, length(input) - zero)
}

fn length<T>(items: &[T]) -> u64 {
    items.len() as u64
}
