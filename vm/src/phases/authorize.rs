//! EIP-7702: writing delegations into the code of the accounts that authorized them.

use crate::{Authorization, Journal, State, delegation, gas::AUTHORIZATION_REFUND};
use alloy_primitives::{Bytes, U256};

/// Processes the list in order. "If any step above fails, immediately stop processing the tuple and
/// continue to the next tuple in the list."
///
/// "If transaction execution results in failure [...] the processed delegation indicators is not rolled
/// back": this runs before the outermost frame's checkpoint.
pub(crate) fn all<S>(
    journal: &mut Journal,
    state: &S,
    chain_id: u64,
    authorizations: &[Authorization],
) -> Result<(), S::Error>
where
    S: State + ?Sized,
{
    for authorization in authorizations {
        one(journal, state, chain_id, authorization)?;
    }
    Ok(())
}

fn one<S>(
    journal: &mut Journal,
    state: &S,
    chain_id: u64,
    authorization: &Authorization,
) -> Result<(), S::Error>
where
    S: State + ?Sized,
{
    // "1. Verify the chain ID is 0 or the ID of the current chain."
    if !authorization.chain_id.is_zero() && authorization.chain_id != U256::from(chain_id) {
        return Ok(());
    }
    // "2. Verify the nonce is less than 2**64 - 1."
    let Some(next_nonce) = authorization.nonce.checked_add(1) else {
        return Ok(());
    };
    // "3. Let authority = ecrecover(msg, y_parity, r, s)."
    let Some(authority) = authorization.authority else {
        return Ok(());
    };
    // "4. Add authority to accessed_addresses, as defined in EIP-2929."
    let authority = journal.access(state, authority)?.id;
    // "5. Verify the code of authority is empty or already delegated."
    let code = journal.code(state, authority)?;
    if !code.is_empty() && delegation::delegate(&code).is_none() {
        return Ok(());
    }
    // "6. Verify the nonce of authority is equal to nonce."
    if journal.account(authority).nonce() != authorization.nonce {
        return Ok(());
    }
    // "7. Add PER_EMPTY_ACCOUNT_COST - PER_AUTH_BASE_COST gas to the global refund counter if authority is
    // not empty." Clients read "not empty" as "part of the state", which since EIP-161 is the same.
    if journal.account(authority).exists() {
        journal.add_refund(AUTHORIZATION_REFUND);
    }
    // "8. Set the code of authority to be 0xef0100 || address. [...] If address is
    // 0x0000000000000000000000000000000000000000, do not write the delegation indicator. Clear the
    // account's code".
    let delegate = authorization.address;
    let code = if delegate.is_zero() {
        Bytes::new()
    } else {
        delegation::indicator(delegate)
    };
    journal.set_code(authority, code);
    // "9. Increase the nonce of authority by one."
    journal.set_nonce(authority, next_nonce);
    Ok(())
}
