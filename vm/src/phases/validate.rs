//! Every rule that makes a transaction invalid. First those that need no state, then the sender's.

use super::Request;
use crate::{
    BlockEnv, IntrinsicGas, InvalidTransaction, Journal, State, TransactError, TxEnv, delegation,
    gas::{MAX_INIT_CODE_LEN, TRANSACTION_GAS_CAP},
    journal::AccountId,
};
use alloy_primitives::U256;

/// Rules about the request alone. Returns its intrinsic gas, which its gas limit covers.
pub(crate) fn request(request: &Request<'_>) -> Result<IntrinsicGas, InvalidTransaction> {
    if request.to.is_create() {
        creation(request)?;
    }
    let gas = IntrinsicGas::new(
        request.to,
        request.input,
        request.access_list,
        request.authorizations.len(),
    );
    // EIP-7623: "Any transaction with a gas limit below 21000 + TOTAL_COST_FLOOR_PER_TOKEN *
    // tokens_in_calldata or below its intrinsic gas cost [...] is considered invalid."
    let got = request.gas_limit;
    if got < gas.initial {
        return Err(InvalidTransaction::IntrinsicGas {
            got,
            required: gas.initial,
        });
    }
    if got < gas.floor {
        return Err(InvalidTransaction::FloorGas {
            got,
            required: gas.floor,
        });
    }
    Ok(gas)
}

fn creation(request: &Request<'_>) -> Result<(), InvalidTransaction> {
    // EIP-7702: "Note, this implies a null destination is not valid."
    if !request.authorizations.is_empty() {
        return Err(InvalidTransaction::AuthorizationsOnCreation);
    }
    // EIP-3860: "If length of transaction data (initcode) in a create transaction exceeds
    // MAX_INITCODE_SIZE, transaction is invalid."
    let (got, limit) = (request.input.len(), MAX_INIT_CODE_LEN);
    if got > limit {
        return Err(InvalidTransaction::InitCodeTooLarge { got, limit });
    }
    Ok(())
}

/// Rules about gas limit and fees in this block. Returns the effective gas price, wei per gas.
pub(crate) fn fees(block: &BlockEnv, tx: &TxEnv) -> Result<u128, InvalidTransaction> {
    // EIP-7825: "Transactions specifying gas limits higher than 16,777,216 gas will be rejected".
    if tx.gas_limit > TRANSACTION_GAS_CAP {
        let (got, cap) = (tx.gas_limit, TRANSACTION_GAS_CAP);
        return Err(InvalidTransaction::GasLimitAboveCap { got, cap });
    }
    if tx.gas_limit > block.gas_limit {
        let (got, limit) = (tx.gas_limit, block.gas_limit);
        return Err(InvalidTransaction::GasLimitAboveBlock { got, limit });
    }
    let &TxEnv {
        max_fee,
        max_priority_fee,
        ..
    } = tx;
    let base_fee = block.base_fee;
    // EIP-1559: "assert transaction.max_fee_per_gas >= transaction.max_priority_fee_per_gas".
    if max_priority_fee > max_fee {
        return Err(InvalidTransaction::PriorityFeeAboveMaxFee {
            max_priority_fee,
            max_fee,
        });
    }
    // EIP-1559: "assert transaction.max_fee_per_gas >= block.base_fee_per_gas".
    if max_fee < u128::from(base_fee) {
        return Err(InvalidTransaction::MaxFeeBelowBaseFee { max_fee, base_fee });
    }
    // EIP-1559: "Priority fee is capped because the base fee is filled first".
    Ok(max_fee.min(max_priority_fee.saturating_add(u128::from(base_fee))))
}

/// Rules about the account that signed. Loads it, makes it warm, and returns it.
pub(crate) fn sender<S>(
    journal: &mut Journal,
    state: &S,
    tx: &TxEnv,
) -> Result<AccountId, TransactError<S::Error>>
where
    S: State + ?Sized,
{
    let sender = journal
        .access(state, tx.sender)
        .map_err(TransactError::State)?
        .id;
    nonce(journal.account(sender).nonce(), tx.nonce)?;
    // EIP-3607: "Any transaction where tx.sender has a CODESIZE != 0 MUST be rejected as invalid."
    // EIP-7702: "to allow EOAs whose code is a valid delegation indicator [...] to originate transactions".
    let code = journal.code(state, sender).map_err(TransactError::State)?;
    if !code.is_empty() && delegation::delegate(&code).is_none() {
        return Err(InvalidTransaction::SenderHasCode { sender: tx.sender }.into());
    }
    let gas = U256::from(tx.gas_limit).checked_mul(U256::from(tx.max_fee));
    let required = gas.and_then(|gas| gas.checked_add(tx.value));
    funds(journal.account(sender).balance(), required)?;
    Ok(sender)
}

/// The one rule for the account in whose name a call is made: it owns the value. Makes it warm.
pub(crate) fn caller<S>(
    journal: &mut Journal,
    state: &S,
    request: &Request<'_>,
) -> Result<(), TransactError<S::Error>>
where
    S: State + ?Sized,
{
    let caller = journal
        .access(state, request.sender)
        .map_err(TransactError::State)?
        .id;
    funds(journal.account(caller).balance(), Some(request.value))?;
    Ok(())
}

fn nonce(expected: u64, got: u64) -> Result<(), InvalidTransaction> {
    // EIP-2681: "Consider any transaction invalid, where the nonce exceeds or equals to 2^64-1."
    if got == u64::MAX {
        return Err(InvalidTransaction::NonceMax);
    }
    if got < expected {
        return Err(InvalidTransaction::NonceTooLow { expected, got });
    }
    if got > expected {
        return Err(InvalidTransaction::NonceTooHigh { expected, got });
    }
    Ok(())
}

/// EIP-1559: "assert signer.balance >= transaction.gas_limit * transaction.max_fee_per_gas", after the
/// value was taken. `required` is `None` if it exceeds 256 bits, which no balance covers.
fn funds(available: U256, required: Option<U256>) -> Result<(), InvalidTransaction> {
    match required {
        Some(required) if required <= available => Ok(()),
        _ => {
            let required = required.unwrap_or(U256::MAX);
            Err(InvalidTransaction::InsufficientFunds {
                available,
                required,
            })
        }
    }
}
