//! Waits until a transaction is mined, or never will be.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::Sent;
use crate::{
    client::{Client, Receipt, RpcError, Tag},
    console::Console,
};

/// How often the node is asked.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How often in a row the node may not know the payment before it counts as dropped: a node that
/// reorganizes its chain puts transactions back within a moment.
const MAX_UNKNOWN_ANSWERS: u32 = 4;

/// What became of a payment.
pub(super) enum Outcome {
    /// It is in a block.
    Mined(Receipt),
    /// Another transaction took its nonce.
    Replaced,
    /// The node does not know it any more.
    Dropped,
    /// Nothing yet; with the reason if the node could not be asked at the end.
    TimedOut { last: Option<RpcError> },
}

/// Asks until there is an outcome or no time. An error ends nothing: the payment is on its way, and
/// a node that restarts comes back with the transactions it had.
pub(super) fn wait(
    console: &Console,
    client: &Client,
    sent: &Sent<'_>,
    timeout: Duration,
) -> Outcome {
    let start = Instant::now();
    let mut unknown_answers = 0;
    let outcome = loop {
        let last = match ask(client, sent, &mut unknown_answers) {
            Ok(Some(outcome)) => break outcome,
            Ok(None) => None,
            Err(error) => Some(error),
        };
        let waited = start.elapsed();
        if waited >= timeout {
            break Outcome::TimedOut { last };
        }
        let state = if last.is_some() {
            "the node does not answer"
        } else {
            "waiting to be mined"
        };
        let (waited_s, timeout_s) = (waited.as_secs(), timeout.as_secs());
        console.progress(format_args!("{state}: {waited_s} of {timeout_s} s"));
        thread::sleep(POLL_INTERVAL.min(timeout.saturating_sub(waited)));
    };
    console.end_progress();
    outcome
}

/// One look at the node; none if the payment still waits.
fn ask(
    client: &Client,
    sent: &Sent<'_>,
    unknown_answers: &mut u32,
) -> Result<Option<Outcome>, RpcError> {
    if let Some(receipt) = client.receipt(sent.hash)? {
        return Ok(Some(Outcome::Mined(receipt)));
    }
    if client.transaction_count(sent.from, Tag::Latest)? > sent.payment.nonce {
        // It may have been mined itself since the first question.
        let receipt = client.receipt(sent.hash)?;
        return Ok(Some(receipt.map_or(Outcome::Replaced, Outcome::Mined)));
    }
    if client.knows_transaction(sent.hash)? {
        *unknown_answers = 0;
        return Ok(None);
    }
    *unknown_answers = unknown_answers.saturating_add(1);
    Ok((*unknown_answers >= MAX_UNKNOWN_ANSWERS).then_some(Outcome::Dropped))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        test_server::{Reply, TestServer},
        transaction::{Payment, TransactionType},
    };
    use alloy_primitives::{Address, B256, TxKind, U256};
    use serde_json::{Value, json};

    const HASH: B256 = B256::repeat_byte(1);

    /// Waits at a node that answers each question with the next of its answers, then the last.
    fn outcome(receipts: &[Value], count: &str, known: Value) -> Outcome {
        let mut receipts = receipts.to_vec();
        receipts.reverse();
        let receipts = std::sync::Mutex::new(receipts);
        let count = json!(count);
        let server = TestServer::start(move |request| {
            Reply::Result(match request["method"].as_str() {
                Some("eth_getTransactionReceipt") => {
                    receipts.lock().unwrap().pop().unwrap_or_default()
                }
                Some("eth_getTransactionCount") => count.clone(),
                _ => known.clone(),
            })
        });
        let payment = Payment {
            kind: TransactionType::Native,
            chain_id: 1,
            nonce: 5,
            to: TxKind::Call(Address::ZERO),
            value: U256::ZERO,
            data: Default::default(),
            gas_limit: 21_000,
            max_fee: 0,
            priority_fee: 0,
        };
        let sent = Sent {
            payment: &payment,
            from: Address::ZERO,
            hash: HASH,
            check: "check it",
        };
        let console = Console {
            json: false,
            password_file: None,
        };
        let client = Client::new(&server.url()).unwrap();
        wait(&console, &client, &sent, Duration::from_secs(4))
    }

    fn receipt() -> Value {
        json!({"blockNumber": "0x2", "blockHash": HASH, "status": "0x1", "gasUsed": "0x5208", "effectiveGasPrice": "0x1", "logs": []})
    }

    #[test]
    fn the_receipt_comes_at_last() {
        let late = [Value::Null, Value::Null, receipt()];
        assert!(
            matches!(outcome(&late, "0x5", json!({})), Outcome::Mined(r) if r.block_number == 2)
        );
    }

    #[test]
    fn a_used_nonce_means_replaced_unless_the_receipt_is_there() {
        assert!(matches!(outcome(&[], "0x6", json!({})), Outcome::Replaced));
        let just_now = [Value::Null, receipt()];
        assert!(matches!(
            outcome(&just_now, "0x6", json!({})),
            Outcome::Mined(_)
        ));
    }

    #[test]
    fn a_forgotten_payment_is_dropped() {
        assert!(matches!(outcome(&[], "0x5", Value::Null), Outcome::Dropped));
    }

    #[test]
    fn patience_ends() {
        assert!(matches!(
            outcome(&[], "0x5", json!({})),
            Outcome::TimedOut { last: None }
        ));
    }
}
