//! `history`: payments from and to an account in recent blocks.
//!
//! JSON-RPC has no index of an account's payments, so blocks are read one by one, newest first,
//! many in one request. Coins that contracts move inside a call are not seen this way.

use alloy_primitives::{Address, B256};
use clap::Args;
use serde_json::{Value, json};

use super::{Context, address_of};
use crate::{
    Failure,
    address::AccountRef,
    amount::Amount,
    calendar::Utc,
    cli::number,
    client::{Block, Client, Receipt, RpcError, Transfer},
    console::Console,
};

/// Most blocks in one request. Fewer are asked for when the node finds the answer too large.
const MAX_BATCH: usize = 32;

/// Most payments that are collected, so that a busy account does not fill the memory.
const MAX_PAYMENTS: usize = 10_000;

const EXAMPLES: &str = "\
Examples:
  cairn-wallet history                        your only account, the last 1000 blocks
  cairn-wallet history main --blocks 20000    further back
  cairn-wallet history main --before 5000     older blocks

Blocks are read one by one, so a long way back takes a while. What contracts pay out inside a \
call is not shown; the balance counts it.";

/// `history`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct HistoryArguments {
    /// Address or name [default: the only account].
    #[arg(value_name = "ACCOUNT")]
    account: Option<AccountRef>,
    /// How many blocks to look at, back from the newest.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = number::<u64>(1, u64::MAX))]
    blocks: u64,
    /// Look at blocks before this one instead of the newest.
    #[arg(long, value_name = "BLOCK", value_parser = number::<u64>(1, u64::MAX))]
    before: Option<u64>,
}

/// Blocks that were looked at, and what was found in them, newest first.
struct Found {
    from_block: u64,
    to_block: u64,
    mined_blocks: u64,
    payments: Vec<Payment>,
}

/// One payment with its block.
struct Payment {
    block: u64,
    timestamp: u64,
    transfer: Transfer,
    receipt: Option<Receipt>,
}

pub(super) fn run(context: &Context, arguments: &HistoryArguments) -> Result<(), Failure> {
    let account = match &arguments.account {
        Some(account) => context.address(account)?,
        None => address_of(&context.account(None)?)?,
    };
    let client = context.client()?;
    let head = client.block_number()?;
    let to_block = arguments
        .before
        .map_or(head, |before| head.min(before.saturating_sub(1)));
    let from_block = to_block.saturating_sub(arguments.blocks.saturating_sub(1));
    let found = scan(&context.console, &client, account, from_block, to_block);
    context.console.end_progress();
    print(context, account, &found?)
}

fn scan(
    console: &Console,
    client: &Client,
    account: Address,
    from_block: u64,
    to_block: u64,
) -> Result<Found, RpcError> {
    let mut found = Found {
        from_block,
        to_block,
        mined_blocks: 0,
        payments: Vec::new(),
    };
    let mut next = Some(to_block);
    let mut batch = MAX_BATCH;
    while let Some(top) = next.filter(|&top| top >= from_block) {
        let bottom = top.saturating_sub(batch as u64 - 1).max(from_block);
        let numbers: Vec<u64> = (bottom..=top).rev().collect();
        console.progress(format_args!(
            "block {top}, {} payments so far",
            found.payments.len()
        ));
        match read(client, account, &numbers) {
            Err(error) if error.wants_less() && batch > 1 => {
                batch /= 2;
                continue;
            }
            read => found.add(account, read?),
        }
        if found.payments.len() >= MAX_PAYMENTS {
            found.from_block = bottom;
            break;
        }
        next = bottom.checked_sub(1);
    }
    Ok(found)
}

/// A block with the payments of one account alone, and what became of each.
struct Seen {
    block: Block,
    receipts: Vec<Option<Receipt>>,
}

fn read(client: &Client, account: Address, numbers: &[u64]) -> Result<Vec<Seen>, RpcError> {
    let blocks = client.blocks(numbers)?.into_iter().flatten();
    let see = |mut block: Block| {
        block
            .transfers
            .retain(|transfer| transfer.from == account || transfer.to == Some(account));
        let hashes: Vec<B256> = block
            .transfers
            .iter()
            .map(|transfer| transfer.hash)
            .collect();
        let mut receipts = Vec::with_capacity(hashes.len());
        for some in hashes.chunks(MAX_BATCH) {
            receipts.extend(client.receipts(some)?);
        }
        Ok(Seen { block, receipts })
    };
    blocks.map(see).collect()
}

impl Found {
    fn add(&mut self, account: Address, blocks: Vec<Seen>) {
        for Seen { block, receipts } in blocks {
            // The genesis block names a beneficiary but pays none.
            if block.miner == account && block.number > 0 {
                self.mined_blocks = self.mined_blocks.saturating_add(1);
            }
            let newest_first = block.transfers.into_iter().zip(receipts).rev();
            self.payments
                .extend(newest_first.map(|(transfer, receipt)| Payment {
                    block: block.number,
                    timestamp: block.timestamp,
                    transfer,
                    receipt,
                }));
        }
    }
}

impl Payment {
    fn direction(&self, account: Address) -> &'static str {
        match (
            self.transfer.from == account,
            self.transfer.to == Some(account),
        ) {
            (true, true) => "self",
            (true, false) => "out",
            _ => "in",
        }
    }

    /// The other side; none for the creation of a contract.
    fn counterparty(&self, account: Address) -> Option<Address> {
        if self.transfer.from == account {
            self.transfer.to
        } else {
            Some(self.transfer.from)
        }
    }

    fn status(&self) -> &'static str {
        match &self.receipt {
            Some(receipt) if receipt.success => "success",
            Some(_) => "failed",
            None => "unknown",
        }
    }
}

fn print(context: &Context, account: Address, found: &Found) -> Result<(), Failure> {
    let console = &context.console;
    if console.json {
        return Ok(console.line(format_args!("{:#}", found_json(account, found)))?);
    }
    for payment in &found.payments {
        let other = payment.counterparty(account);
        let other = other.map_or_else(
            || "(new contract)".to_owned(),
            |address| address.to_string(),
        );
        let failed = if payment.status() == "success" {
            String::new()
        } else {
            format!("  {}", payment.status())
        };
        console.line(format_args!(
            "{}  block {:<8} {:4} {:>24}  {other}  {}{failed}",
            Utc::from_unix(payment.timestamp),
            payment.block,
            payment.direction(account),
            Amount(payment.transfer.value).to_string(),
            payment.transfer.hash,
        ))?;
    }
    let Found {
        from_block,
        to_block,
        mined_blocks,
        payments,
    } = found;
    let payments = match payments.len() {
        1 => "1 payment".to_owned(),
        count => format!("{count} payments"),
    };
    console.note(format_args!(
        "{payments} of {account} in blocks {from_block} to {to_block}; it mined {mined_blocks} of them."
    ));
    if *from_block > 0 {
        console.note(format_args!(
            "For older ones: cairn-wallet history {account} --before {from_block}"
        ));
    }
    Ok(())
}

fn found_json(account: Address, found: &Found) -> Value {
    let payments: Vec<Value> = found
        .payments
        .iter()
        .map(|payment| payment_json(account, payment))
        .collect();
    json!({
        "address": account.to_string(),
        "fromBlock": found.from_block,
        "toBlock": found.to_block,
        "minedBlocks": found.mined_blocks,
        "payments": payments,
    })
}

fn payment_json(account: Address, payment: &Payment) -> Value {
    let Payment {
        block,
        timestamp,
        transfer,
        receipt,
    } = payment;
    json!({
        "hash": transfer.hash,
        "blockNumber": block,
        "timestamp": timestamp,
        "direction": payment.direction(account),
        "from": transfer.from.to_string(),
        "to": transfer.to.map(|address| address.to_string()),
        "value": transfer.value.to_string(),
        "status": payment.status(),
        "fee": receipt.as_ref().map(|receipt| receipt.fee().to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_server::{Reply, TestServer};
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    const OURS: Address = Address::repeat_byte(1);
    const THEIRS: Address = Address::repeat_byte(2);

    /// A chain where we pay them in every tenth block and mine every fifth; block 30 pays us.
    fn block(number: u64) -> Value {
        let hash = |i: u64| B256::left_padding_from(&(number * 10 + i).to_be_bytes());
        let pay = |i: u64, from: Address, to: Address| json!({"hash": hash(i), "from": from, "to": to, "value": "0x1"});
        let mut transactions = vec![pay(0, THEIRS, THEIRS)];
        if number.is_multiple_of(10) {
            transactions.push(pay(1, OURS, THEIRS));
        }
        if number == 30 {
            transactions.push(pay(2, THEIRS, OURS));
        }
        let miner = if number.is_multiple_of(5) {
            OURS
        } else {
            THEIRS
        };
        json!({"number": format!("{number:#x}"), "timestamp": "0x1", "miner": miner, "transactions": transactions})
    }

    fn answer(request: &Value) -> Reply {
        let number =
            |value: &Value| u64::from_str_radix(&value.as_str().unwrap()[2..], 16).unwrap();
        Reply::Result(match request["method"].as_str() {
            Some("eth_getBlockByNumber") => block(number(&request["params"][0])),
            _ => json!({"blockNumber": "0x1", "blockHash": B256::ZERO, "status": "0x0",
                        "gasUsed": "0x2", "effectiveGasPrice": "0x3", "logs": []}),
        })
    }

    fn scan_at(server: &TestServer, from_block: u64, to_block: u64) -> Found {
        let console = Console {
            json: false,
            password_file: None,
        };
        scan(
            &console,
            &Client::new(&server.url()).unwrap(),
            OURS,
            from_block,
            to_block,
        )
        .unwrap()
    }

    #[test]
    fn finds_both_directions_newest_first() {
        let found = scan_at(&TestServer::start(answer), 0, 100);
        let list: Vec<_> = found
            .payments
            .iter()
            .map(|p| (p.block, p.direction(OURS)))
            .collect();
        let mut expected: Vec<_> = (0..=10).rev().map(|i| (i * 10, "out")).collect();
        expected.insert(7, (30, "in"));
        assert_eq!(list, expected);
        assert_eq!(found.mined_blocks, 20);
        assert_eq!(found.payments[0].status(), "failed");
        assert_eq!(found.payments[0].counterparty(OURS), Some(THEIRS));
    }

    #[test]
    fn looks_only_where_it_is_told() {
        let found = scan_at(&TestServer::start(answer), 21, 30);
        assert_eq!((found.payments.len(), found.mined_blocks), (2, 2));
        assert_eq!(scan_at(&TestServer::start(answer), 0, 0).payments.len(), 1);
    }

    #[test]
    fn asks_for_less_when_the_node_says_so() {
        let refusals = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&refusals);
        let server = TestServer::start(move |request| {
            // The first requests are refused, each question of them.
            if counter.fetch_add(1, Ordering::Relaxed) < MAX_BATCH + MAX_BATCH / 2 {
                return Reply::Error(-32005, "response too large".to_owned());
            }
            answer(request)
        });
        assert_eq!(scan_at(&server, 1, 100).payments.len(), 11);
    }
}
