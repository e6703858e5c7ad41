//! The gas schedule, less what the table in [`opcode`](crate::opcode) says: transactions, and the prices of
//! instructions that depend on operands, warmth or state.

use alloy_primitives::{Address, B256, TxKind};

/// Charged for every transaction.
pub const TRANSACTION: u64 = 21_000;
/// Charged on top for a contract creation (EIP-2).
pub const CREATE_TRANSACTION: u64 = 32_000;
/// EIP-7623's `STANDARD_TOKEN_COST`: what a calldata token ordinarily costs.
pub const CALLDATA_TOKEN: u64 = 4;
/// EIP-7623's `TOTAL_COST_FLOOR_PER_TOKEN`: what a calldata token costs at least.
pub const CALLDATA_TOKEN_FLOOR: u64 = 10;
/// EIP-7623: a byte that is not zero counts as so many tokens, a zero byte as one.
pub const TOKENS_PER_NONZERO_BYTE: u64 = 4;
/// EIP-2930's `ACCESS_LIST_ADDRESS_COST`.
pub const ACCESS_LIST_ADDRESS: u64 = 2_400;
/// EIP-2930's `ACCESS_LIST_STORAGE_KEY_COST`.
pub const ACCESS_LIST_SLOT: u64 = 1_900;
/// EIP-3860's `INITCODE_WORD_COST`, per started 32 bytes of init code.
pub const INIT_CODE_WORD: u64 = 2;
/// EIP-7702's `PER_EMPTY_ACCOUNT_COST`, charged for each authorization, valid or not.
pub const AUTHORIZATION: u64 = 25_000;
/// EIP-7702's `PER_EMPTY_ACCOUNT_COST - PER_AUTH_BASE_COST`, refunded where the authority exists.
pub const AUTHORIZATION_REFUND: i64 = 25_000 - 12_500;

/// EIP-7825: "a protocol-level maximum of 16,777,216 gas (2^24) for any single transaction".
pub const TRANSACTION_GAS_CAP: u64 = 1 << 24;
/// EIP-3860's `MAX_INITCODE_SIZE`, bytes.
pub const MAX_INIT_CODE_LEN: usize = 49_152;
/// EIP-3529's `MAX_REFUND_QUOTIENT`: refunds give back at most this fraction of the gas spent.
pub const MAX_REFUND_QUOTIENT: u64 = 5;

/// EIP-2929: what the first access to an account costs on top of the 100 gas that the table holds.
pub const COLD_ACCOUNT: u64 = 2_500;
/// EIP-2929's `COLD_ACCOUNT_ACCESS_COST`, for SELFDESTRUCT and delegations (EIP-7702), where the table holds nothing.
pub const COLD_ACCOUNT_ACCESS: u64 = 2_600;
/// EIP-2929's `WARM_STORAGE_READ_COST`.
pub const WARM_ACCESS: u64 = 100;
/// EIP-2929: what the first SLOAD of a slot costs on top of the 100 gas that the table holds.
pub const COLD_SLOAD: u64 = 2_000;
/// EIP-2929's `COLD_SLOAD_COST`, for SSTORE, where the table holds nothing.
pub const COLD_SSTORE: u64 = 2_100;
/// EIP-2200's `SSTORE_SET_GAS`: a slot becomes non-zero.
pub const SSTORE_SET: u64 = 20_000;
/// EIP-2929: `SSTORE_RESET_GAS - COLD_SLOAD_COST`, a slot that is not zero changes.
pub const SSTORE_RESET: u64 = 2_900;
/// EIP-2200: at this much gas or less SSTORE fails.
pub const SSTORE_STIPEND: u64 = 2_300;
/// EIP-3529's `SSTORE_CLEARS_SCHEDULE`, refunded for a slot that becomes zero.
pub const SSTORE_CLEARS: i64 = 4_800;
/// Per byte of the exponent (EIP-160).
pub const EXP_BYTE: u64 = 50;
/// Per started word that KECCAK256 and CREATE2 hash.
pub const KECCAK_WORD: u64 = 6;
/// Per started word that is copied.
pub const COPY_WORD: u64 = 3;
/// Per byte of a log's data.
pub const LOG_BYTE: u64 = 8;
/// A call that moves value.
pub const CALL_VALUE: u64 = 9_000;
/// What the callee gets of that.
pub const CALL_STIPEND: u64 = 2_300;
/// Value that makes a new account, by CALL or SELFDESTRUCT (EIP-161).
pub const NEW_ACCOUNT: u64 = 25_000;
/// Per byte of deployed code.
pub const CODE_DEPOSIT_BYTE: u64 = 200;
/// EIP-170's `MAX_CODE_SIZE`, bytes.
pub const MAX_CODE_LEN: usize = 24_576;

/// Bytes of memory beyond which no gas suffices that a block could hold: their price is above 2^40.
const MAX_MEMORY_BYTES: u64 = 1 << 32;

/// What memory of this many bytes costs in all: "3 * words + words² / 512", `None` if that is beyond all means.
pub fn memory(bytes: u64) -> Option<u64> {
    let words = Some(bytes)
        .filter(|bytes| *bytes <= MAX_MEMORY_BYTES)?
        .div_ceil(32);
    Some(3 * words + words * words / 512)
}

/// `per_word` for each started word of `bytes`, saturating.
pub fn words(bytes: u64, per_word: u64) -> u64 {
    bytes.div_ceil(32).saturating_mul(per_word)
}

/// What a transaction costs because of its bytes alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntrinsicGas {
    /// Charged before anything runs.
    pub initial: u64,
    /// The least gas that the transaction uses in the end (EIP-7623).
    pub floor: u64,
}

impl IntrinsicGas {
    /// Computes both numbers. They saturate, which takes more bytes than a computer has memory.
    pub fn new(
        to: TxKind,
        input: &[u8],
        access_list: &[(Address, Vec<B256>)],
        authorizations: usize,
    ) -> Self {
        let tokens = calldata_tokens(input);
        let initial = TRANSACTION
            .saturating_add(tokens.saturating_mul(CALLDATA_TOKEN))
            .saturating_add(creation(to, input))
            .saturating_add(access(access_list))
            .saturating_add(times(authorizations, AUTHORIZATION));
        let floor = TRANSACTION.saturating_add(tokens.saturating_mul(CALLDATA_TOKEN_FLOOR));
        Self { initial, floor }
    }
}

/// EIP-7623: "tokens_in_calldata = zero_bytes_in_calldata + nonzero_bytes_in_calldata * 4".
fn calldata_tokens(input: &[u8]) -> u64 {
    let nonzero = input.iter().filter(|byte| **byte != 0).count();
    let zero = input.len().saturating_sub(nonzero);
    times(nonzero, TOKENS_PER_NONZERO_BYTE).saturating_add(times(zero, 1))
}

/// EIP-2 and EIP-3860: the extra price of a creation.
fn creation(to: TxKind, init_code: &[u8]) -> u64 {
    match to {
        TxKind::Call(_) => 0,
        TxKind::Create => {
            CREATE_TRANSACTION.saturating_add(times(init_code.len().div_ceil(32), INIT_CODE_WORD))
        }
    }
}

/// EIP-2930: the price of the access list, repeated entries included.
fn access(list: &[(Address, Vec<B256>)]) -> u64 {
    let slots = list.iter().map(|(_, slots)| slots.len()).sum();
    times(list.len(), ACCESS_LIST_ADDRESS).saturating_add(times(slots, ACCESS_LIST_SLOT))
}

/// `count` times `gas`, saturating.
fn times(count: usize, gas: u64) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(gas)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: TxKind = TxKind::Call(Address::ZERO);

    fn of(to: TxKind, input: &[u8]) -> IntrinsicGas {
        IntrinsicGas::new(to, input, &[], 0)
    }

    #[test]
    fn a_plain_transfer_costs_21000() {
        assert_eq!(
            of(CALL, &[]),
            IntrinsicGas {
                initial: 21_000,
                floor: 21_000
            }
        );
    }

    #[test]
    fn calldata_costs_4_and_16_and_the_floor_10_and_40() {
        let gas = of(CALL, &[0, 0, 0, 1, 2]);
        assert_eq!(gas.initial, 21_000 + 3 * 4 + 2 * 16);
        assert_eq!(gas.floor, 21_000 + 3 * 10 + 2 * 40);
    }

    #[test]
    fn a_creation_costs_32000_and_2_per_started_word() {
        assert_eq!(of(TxKind::Create, &[]).initial, 53_000);
        assert_eq!(of(TxKind::Create, &[0; 32]).initial, 53_000 + 32 * 4 + 2);
        assert_eq!(of(TxKind::Create, &[0; 33]).initial, 53_000 + 33 * 4 + 4);
        assert_eq!(of(TxKind::Create, &[0; 33]).floor, 21_000 + 33 * 10);
    }

    #[test]
    fn access_lists_and_authorizations_are_charged_per_entry() {
        let list = [
            (Address::ZERO, vec![B256::ZERO; 3]),
            (Address::ZERO, vec![]),
        ];
        let gas = IntrinsicGas::new(CALL, &[], &list, 2);
        assert_eq!(gas.initial, 21_000 + 2 * 2_400 + 3 * 1_900 + 2 * 25_000);
        assert_eq!(gas.floor, 21_000);
    }
}
