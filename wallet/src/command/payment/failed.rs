//! Why a transaction that was mined had no effect. Receipts do not say, so it is run again.

use super::Sent;
use crate::{
    abi::Revert,
    client::{Client, Receipt, Tag},
};

/// The reason, as the end of a sentence.
pub(super) fn reason(client: &Client, sent: &Sent<'_>, receipt: &Receipt) -> String {
    let payment = sent.payment;
    if receipt.gas_used >= payment.gas_limit {
        return "it used up its gas, so give it more with --gas, unless its code is broken"
            .to_owned();
    }
    match said(client, sent, receipt) {
        Some(revert) => format!("the contract {revert}"),
        None if payment.to.is_create() => {
            format!("the creation code refused, so {}", sent.check)
        }
        None => format!(
            "the recipient is a contract that refused, so {}; more --gas may help too",
            sent.check
        ),
    }
}

/// What the contract says when the same is tried on the state before the transaction's block,
/// which is nearly the state that it ran on.
fn said(client: &Client, sent: &Sent<'_>, receipt: &Receipt) -> Option<Revert> {
    let before = Tag::Number(receipt.block_number.checked_sub(1)?);
    let call = sent.payment.call(sent.from, Some(sent.payment.gas_limit));
    let error = client.output(&call, before).err()?;
    error.revert().map(Revert)
}
