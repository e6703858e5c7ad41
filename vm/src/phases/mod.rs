//! The phases of a transaction, one file each, in the order in which they happen.
//!
//! | phase | what it does |
//! |---|---|
//! | [`validate`] | every rule that makes a transaction invalid; changes nothing |
//! | [`buy`] | takes the price of all gas from the sender |
//! | [`authorize`] | writes EIP-7702 delegations (a step of the run that is never rolled back) |
//! | [`run`] | increments the nonce, fills the warm sets, authorizes, runs the outermost frame |
//! | [`mod@refund`] | what of the gas is charged: EIP-3529 and EIP-7623 |
//! | [`pay`] | unused gas back to the sender, priority fee to the beneficiary |

pub(crate) mod authorize;
pub(crate) mod buy;
pub(crate) mod pay;
pub(crate) mod refund;
pub(crate) mod run;
pub(crate) mod validate;

use crate::{Authorization, CallRequest, TxEnv};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};

/// What transactions and calls have in common: all that the run needs to know.
pub(crate) struct Request<'a> {
    pub sender: Address,
    pub gas_limit: u64,
    pub to: TxKind,
    pub value: U256,
    pub input: &'a Bytes,
    pub access_list: &'a [(Address, Vec<B256>)],
    pub authorizations: &'a [Authorization],
}

impl<'a> From<&'a TxEnv> for Request<'a> {
    fn from(tx: &'a TxEnv) -> Self {
        Self {
            sender: tx.sender,
            gas_limit: tx.gas_limit,
            to: tx.to,
            value: tx.value,
            input: &tx.input,
            access_list: &tx.access_list,
            authorizations: &tx.authorizations,
        }
    }
}

impl<'a> From<&'a CallRequest> for Request<'a> {
    fn from(call: &'a CallRequest) -> Self {
        Self {
            sender: call.sender,
            gas_limit: call.gas_limit,
            to: call.to,
            value: call.value,
            input: &call.input,
            access_list: &call.access_list,
            authorizations: &call.authorizations,
        }
    }
}
