//! Making a transaction: what `send`, `contract deploy` and `contract send` share.
//!
//! ```text
//! order ──plan──► Payment ──(user agrees)──► sign ──► node ──wait──► receipt
//!          ▲ node: chain id, nonce, fees, gas, balance          └──failed──► why
//! ```
//!
//! A verb makes the [`Order`], says in words what it is, and tells the end if it is a good one.

mod error;
mod failed;
mod options;
mod prepare;
mod report;
mod wait;

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};

pub use self::{error::SendError, options::PaymentOptions};
use self::{prepare::Plan, wait::Outcome};
use super::{Context, address_of};
use crate::{
    Failure,
    amount::{Amount, GasPrice},
    client::{Client, Receipt, RpcError},
    keystore::Account,
    transaction::Payment,
};

/// What a user wants done.
pub(super) struct Order {
    /// Who gets it, or that it creates a contract.
    pub(super) to: TxKind,
    /// Amount in wei.
    pub(super) value: U256,
    /// Call data or creation code.
    pub(super) data: Bytes,
    /// What to look at if a contract refuses: "check …", in the words of the verb's options.
    pub(super) check: &'static str,
}

/// An account that pays for something.
pub(super) struct Payer<'a> {
    context: &'a Context,
    options: &'a PaymentOptions,
    account: Account,
    /// The account's address.
    pub(super) from: Address,
    /// The node.
    pub(super) client: Client,
}

/// A transaction that the node has taken.
pub(super) struct Sent<'a> {
    payment: &'a Payment,
    from: Address,
    hash: B256,
    check: &'static str,
}

impl<'a> Payer<'a> {
    /// The account that the options name, and the node.
    pub(super) fn new(context: &'a Context, options: &'a PaymentOptions) -> Result<Self, Failure> {
        let account = context.account(options.from.as_ref())?;
        Ok(Self {
            context,
            options,
            from: address_of(&account)?,
            account,
            client: context.client()?,
        })
    }

    /// Settles every number of the transaction.
    pub(super) fn plan(&self, order: Order) -> Result<Plan, SendError> {
        prepare::prepare(
            &self.client,
            self.options,
            self.account.scheme,
            self.from,
            order,
        )
    }

    /// Shows what will happen, and asks. `order` says what was ordered: labels and what they
    /// stand for. With `--yes` nobody is asked; with `--json` too, nobody reads.
    pub(super) fn agree(&self, plan: &Plan, order: &[(&str, String)]) -> Result<(), Failure> {
        let console = &self.context.console;
        if !(self.options.yes && console.json) {
            self.show(&plan.payment, order);
        }
        self.warn(plan);
        if !self.options.yes && !console.confirm("Send it?")? {
            return Err(Failure::Declined("nothing was sent"));
        }
        Ok(())
    }

    fn show(&self, payment: &Payment, order: &[(&str, String)]) {
        let name = self.account.name.as_ref();
        let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
        let note = |label: &str, text: &str| {
            // What takes several lines is indented under the first.
            let text = text.replace('\n', "\n        ");
            self.context.console.note(format_args!("{label:7} {text}"));
        };
        note("from", &format!("{}{name}", self.from));
        for (label, text) in order {
            note(label, text);
        }
        note(
            "fee",
            &format!(
                "at most {} ({} gas at up to {})",
                Amount(payment.max_cost()),
                payment.gas_limit,
                GasPrice(payment.max_fee)
            ),
        );
        note("total", &format!("at most {}", Amount(payment.max_total())));
        note(
            "chain",
            &format!(
                "{}, nonce {}, type {}",
                payment.chain_id, payment.nonce, payment.kind
            ),
        );
    }

    fn warn(&self, plan: &Plan) {
        let (console, payment) = (&self.context.console, &plan.payment);
        if payment.nonce > plan.next_nonce {
            console.note(format_args!(
                "Warning: the next nonce is {}, so the transaction waits until those before {} are sent.",
                plan.next_nonce, payment.nonce
            ));
        }
        if payment.max_fee < plan.base_fee {
            console.note(format_args!(
                "Warning: the base fee is {} now, so the transaction waits until it falls below your highest fee.",
                GasPrice(plan.base_fee)
            ));
        }
    }

    /// Signs the transaction and gives it to the node.
    pub(super) fn send<'p>(&self, plan: &'p Plan) -> Result<Sent<'p>, Failure> {
        let key = self.context.open(&self.account)?;
        let signed = plan.payment.sign(&key).map_err(SendError::from)?;
        drop(key);
        let sent = Sent {
            payment: &plan.payment,
            from: self.from,
            hash: signed.hash(),
            check: plan.check,
        };
        hand_over(&self.client, signed.envelope(), &sent)?;
        Ok(sent)
    }

    /// Tells the hash, waits if that is wanted, and tells scripts the end. The receipt is that of
    /// a success; none if nobody waits for it.
    pub(super) fn finish(&self, sent: &Sent<'_>) -> Result<Option<Receipt>, Failure> {
        let console = &self.context.console;
        if !console.json {
            console.line(format_args!("Sent: {}", sent.hash))?;
        }
        let outcome = if self.options.no_wait {
            None
        } else {
            let timeout = Duration::from_secs(self.options.timeout);
            Some(wait::wait(console, &self.client, sent, timeout))
        };
        let mut json = console.json.then(|| report::json(sent, outcome.as_ref()));
        let result = match outcome {
            None => Ok(None),
            Some(Outcome::Mined(receipt)) if receipt.success => Ok(Some(receipt)),
            Some(other) => Err(self.failure(sent, other)),
        };
        if let Some(json) = &mut json {
            if let Some(reason) = result.as_ref().err().and_then(SendError::reason) {
                json["reason"] = reason.into();
            }
            console.line(format_args!("{json:#}"))?;
        }
        Ok(result?)
    }

    /// The error of an outcome that is no success.
    fn failure(&self, sent: &Sent<'_>, outcome: Outcome) -> SendError {
        let Sent { hash, payment, .. } = *sent;
        let nonce = payment.nonce;
        match outcome {
            Outcome::Mined(receipt) => SendError::Failed {
                hash,
                block: receipt.block_number,
                fee: Amount(receipt.fee()),
                reason: failed::reason(&self.client, sent, &receipt),
            },
            Outcome::Replaced => SendError::Replaced { hash, nonce },
            Outcome::Dropped => SendError::Dropped {
                hash,
                nonce,
                why: self.client.why(hash),
            },
            Outcome::TimedOut { last } => SendError::TimedOut {
                hash,
                nonce,
                seconds: self.options.timeout,
                // One that does not answer is not asked once more.
                why: last.is_none().then(|| self.client.why(hash)).flatten(),
                last: last.map(Box::new),
            },
        }
    }
}

/// Gives the envelope to the node.
fn hand_over(client: &Client, envelope: &[u8], sent: &Sent<'_>) -> Result<(), SendError> {
    match client.send_raw_transaction(envelope) {
        Ok(hash) if hash == sent.hash => Ok(()),
        Ok(got) => Err(SendError::OtherHash {
            expected: sent.hash,
            got,
        }),
        // An earlier attempt reached the node, which has this very transaction.
        Err(RpcError::Refused { message, .. })
            if message.to_ascii_lowercase().contains("already known") =>
        {
            Ok(())
        }
        Err(RpcError::Refused { message, .. }) => Err(SendError::refused(message)),
        // Whatever went wrong with the answer, the node may have read the question.
        Err(error) => Err(SendError::Uncertain {
            hash: sent.hash,
            nonce: sent.payment.nonce,
            error: Box::new(error),
        }),
    }
}
