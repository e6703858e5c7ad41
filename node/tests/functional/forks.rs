//! Two branches, and which of them counts: the one with the most work.
//!
//! One node makes both: the operator's `cairn_invalidateBlock` takes it off a branch, so that it
//! mines another, and `cairn_reconsiderBlock` makes it choose.

use std::path::Path;

use alloy_primitives::{Address, B256, U256};
use cairn_genesis::Transaction;
use serde_json::{Value, json};

use crate::harness::{
    Account, Node, Rpc, Transfer, block_at, cairn, hash, home, lower, native, number, secp256k1,
    wait_for,
};

const MINES: [&str; 4] = ["run", "--chain", "dev", "--mine=on-transaction"];
const IDLE: [&str; 4] = ["run", "--chain", "dev", "--mine=off"];

const ALICE: Address = Address::repeat_byte(0xaa);
const BOB: Address = Address::repeat_byte(0xbb);
const ELSEWHERE: Address = Address::repeat_byte(0xee);

/// An empty pool.
const NOTHING: [B256; 0] = [];

fn invalidate(rpc: &Rpc, block: B256) {
    rpc.call("cairn_invalidateBlock", json!([block]));
}

fn reconsider(rpc: &Rpc, block: B256) {
    rpc.call("cairn_reconsiderBlock", json!([block]));
}

fn tip(rpc: &Rpc) -> B256 {
    hash(&rpc.block("latest")["hash"])
}

fn block_of(receipt: &Value) -> B256 {
    hash(&receipt["blockHash"])
}

/// Hashes of the pool's executable transactions.
fn pending(rpc: &Rpc) -> Vec<B256> {
    let content = rpc.call("txpool_content", json!([]));
    assert_eq!(content["queued"], json!({}), "nothing waits for a nonce");
    let senders = content["pending"].as_object().unwrap().values();
    let each = senders.flat_map(|sender| sender.as_object().unwrap().values());
    let mut hashes: Vec<_> = each.map(|transaction| hash(&transaction["hash"])).collect();
    hashes.sort_unstable();
    hashes
}

fn check_database(data: &Path) {
    let data = data.to_str().unwrap();
    let checked = cairn(&["db", "check", "--chain", "dev", "--datadir", data]);
    assert!(checked.success().starts_with("ok: "));
}

/// A payment of `account` to somebody else, to make one more block.
fn filler(account: &Account, nonce: u64) -> Transaction {
    account.pay(Transfer::new(ELSEWHERE, 1, nonce))
}

/// ```text
///            ┌─ A1 (pays Alice) ── A2
///  genesis ──┤                                      both payments: same payer, same nonce
///            └─ B1 (pays Bob) ──── B2 ── B3
/// ```
/// B wins; then B1 is invalid for a while, A gets two more blocks, and A wins.
#[test]
fn a_double_spend_is_decided_by_work() {
    let home = home();
    let payer = secp256k1(0);
    let to_alice = payer.pay(Transfer::new(ALICE, 1_000, 0));
    let to_bob = payer.pay(Transfer {
        max_fee: 20_000_000_000,
        tip: 2_000_000_000,
        ..Transfer::new(BOB, 1_000, 0)
    });

    let node = Node::start(home.path(), &MINES);
    let a1 = block_of(&node.rpc().send_and_mine(&to_alice));
    node.rpc().send_and_mine(&filler(&native(1), 0));
    node.stop();

    let node = Node::start(home.path(), &IDLE);
    take_back(node.rpc(), a1, &to_alice);
    node.rpc().send(&to_bob);
    assert!(pending(node.rpc()).contains(&to_bob.hash()));
    assert!(
        !pending(node.rpc()).contains(&to_alice.hash()),
        "it is replaced"
    );
    node.stop();

    let node = Node::start(home.path(), &MINES);
    let b1 = block_of(&node.rpc().mined(to_bob.hash()));
    node.rpc().mined(filler(&native(1), 0).hash());
    node.rpc().send_and_mine(&filler(&native(1), 1));
    node.rpc().send_and_mine(&filler(&native(1), 2));
    let b3 = tip(node.rpc());
    reconsider(node.rpc(), a1);
    assert_eq!(tip(node.rpc()), b3, "A has less work");
    paid(node.rpc(), BOB, ALICE);
    lost(node.rpc(), &to_alice);
    let tips = node.rpc().call("cairn_chainTips", json!([]));
    assert_eq!(
        (&tips[0]["hash"], &tips[0]["status"]),
        (&json!(b3), &json!("active"))
    );
    assert_eq!(
        (&tips[1]["status"], &tips[1]["branchLength"]),
        (&json!("valid-fork"), &json!("0x2"))
    );
    node.stop();

    let node = Node::start(home.path(), &IDLE);
    invalidate(node.rpc(), b1);
    assert_eq!(
        block_of(&node.rpc().receipt(to_alice.hash())),
        a1,
        "A is the best that is left"
    );
    paid(node.rpc(), ALICE, BOB);
    node.stop();

    let node = Node::start(home.path(), &MINES);
    wait_for("what B had mined", || {
        pending(node.rpc()).is_empty().then_some(())
    });
    node.rpc().send_and_mine(&filler(&native(2), 0));
    node.rpc().send_and_mine(&filler(&native(2), 1));
    let a_end = tip(node.rpc());
    assert!(node.rpc().height() > 3);
    reconsider(node.rpc(), b1);
    assert_eq!(tip(node.rpc()), a_end, "B has less work now");
    paid(node.rpc(), ALICE, BOB);
    lost(node.rpc(), &to_bob);
    node.stop();
    check_database(home.path());
}

/// Takes the node off the branch that begins with `first`; its payment is pending again.
fn take_back(rpc: &Rpc, first: B256, payment: &Transaction) {
    invalidate(rpc, first);
    assert_eq!(rpc.height(), 0);
    assert!(rpc.receipt(payment.hash()).is_null());
    let again = rpc.call("eth_getTransactionByHash", json!([payment.hash()]));
    assert!(again["blockHash"].is_null() && !again.is_null(), "{again}");
    assert_eq!(rpc.balance(ALICE, "latest"), U256::ZERO);
    assert_eq!(pending(rpc).len(), 2);
    let tips = rpc.call("cairn_chainTips", json!([]));
    assert_eq!(tips[1]["status"], "invalid", "{tips}");
}

fn paid(rpc: &Rpc, winner: Address, loser: Address) {
    assert_eq!(rpc.balance(winner, "latest"), U256::from(1_000));
    assert_eq!(rpc.balance(loser, "latest"), U256::ZERO);
    assert_eq!(
        rpc.nonce(secp256k1(0).address, "latest"),
        1,
        "one of them was mined"
    );
}

/// The transaction is in no block and not in the pool, and is not taken again.
fn lost(rpc: &Rpc, transaction: &Transaction) {
    assert!(rpc.receipt(transaction.hash()).is_null());
    assert!(
        rpc.call("eth_getTransactionByHash", json!([transaction.hash()]))
            .is_null()
    );
    assert_eq!(pending(rpc), NOTHING);
    rpc.send_refused(transaction, "nonce too low");
}

/// Blocks before the fork.
const BASE: u64 = 3;
/// Blocks of branch A.
const BRANCH: u64 = 50;

/// What RPC says about a chain: blocks with their state roots, receipts, balances at each height.
#[derive(PartialEq, Debug)]
struct Story {
    blocks: Vec<Value>,
    receipts: Vec<Value>,
    balances: Vec<Value>,
}

fn payers() -> Vec<Account> {
    let both = (0..3).flat_map(|index| [secp256k1(index), native(index)]);
    both.collect()
}

fn story(rpc: &Rpc, payments: &[Transaction]) -> Story {
    let heights = 0..=BASE + BRANCH;
    let block = |at: u64| ("eth_getBlockByNumber", json!([block_at(at), true]));
    let receipt = |payment: &Transaction| ("eth_getTransactionReceipt", json!([payment.hash()]));
    let people: Vec<_> = payers()
        .into_iter()
        .map(|payer| payer.address)
        .chain([ALICE])
        .collect();
    let balances = heights.clone().flat_map(|at| {
        let balance = move |who: &Address| ("eth_getBalance", json!([who, block_at(at)]));
        people.iter().map(balance).collect::<Vec<_>>()
    });
    let ask = |questions: Vec<_>| rpc.ask_all(&questions).unwrap();
    Story {
        blocks: ask(heights.map(block).collect()),
        receipts: ask(payments.iter().map(receipt).collect()),
        balances: ask(balances.collect()),
    }
}

/// Mines a block for each of `BASE + BRANCH` payments.
fn mine_payments(rpc: &Rpc) -> Vec<Transaction> {
    let payers = payers();
    let count = BASE + BRANCH;
    let payments = (0..count).map(|index| {
        let (round, seat) = (index / payers.len() as u64, index as usize % payers.len());
        let payment = payers[seat].pay(Transfer::new(ALICE, 1 + index, round));
        let receipt = rpc.send_and_mine(&payment);
        assert_eq!(number(&receipt["blockNumber"]), index + 1);
        payment
    });
    payments.collect()
}

/// The chain ends at the fork: its state is the one of then, and all that was disconnected waits.
fn check_at_fork(rpc: &Rpc, told: &Story, disconnected: &[Transaction]) {
    let fork = rpc.block("latest");
    let then = &told.blocks[BASE as usize];
    assert_eq!(number(&fork["number"]), BASE);
    assert_eq!(fork["hash"], then["hash"]);
    assert_eq!(fork["stateRoot"], then["stateRoot"]);
    let seats = payers().len() + 1;
    for (seat, payer) in payers().iter().enumerate() {
        let now = rpc.call("eth_getBalance", json!([payer.address, "latest"]));
        assert_eq!(now, told.balances[BASE as usize * seats + seat]);
    }
    let mut waiting: Vec<_> = disconnected.iter().map(Transaction::hash).collect();
    waiting.sort_unstable();
    assert_eq!(pending(rpc), waiting);
    let beyond = json!([lower(ALICE), block_at(BASE + 1)]);
    rpc.refused("eth_getBalance", beyond, -32001, "header not found");
    assert!(rpc.block(block_at(BASE + 1)).is_null());
}

/// ```text
///                ┌─ A4 ── A5 ── … ── A53        one payment in each
///  0 ── … ── 3 ──┤
///                └─ B4 (── B5)                  the same payments, at once
/// ```
#[test]
fn fifty_blocks_forth_and_back_give_identical_state() {
    let home = home();
    let node = Node::start(home.path(), &MINES);
    let payments = mine_payments(node.rpc());
    let told = story(node.rpc(), &payments);
    let branch = &payments[BASE as usize..];
    let a_first = hash(&told.blocks[BASE as usize + 1]["hash"]);
    let a_tip = tip(node.rpc());
    node.stop();

    let node = Node::start(home.path(), &IDLE);
    assert_eq!(story(node.rpc(), &payments), told, "after a restart");
    for round in 0..2 {
        invalidate(node.rpc(), a_first);
        check_at_fork(node.rpc(), &told, branch);
        reconsider(node.rpc(), a_first);
        assert_eq!(tip(node.rpc()), a_tip);
        assert_eq!(story(node.rpc(), &payments), told, "round {round}");
        assert_eq!(
            pending(node.rpc()),
            NOTHING,
            "mined again, by the return of their blocks"
        );
    }
    invalidate(node.rpc(), a_first);
    node.stop();

    let node = Node::start(home.path(), &MINES);
    let rpc = node.rpc();
    for payment in branch {
        assert_ne!(block_of(&rpc.mined(payment.hash())), a_first);
    }
    assert_eq!(pending(rpc), NOTHING);
    assert!(rpc.height() < BASE + BRANCH);
    let received: u64 = (1..=BASE + BRANCH).sum();
    assert_eq!(rpc.balance(ALICE, "latest"), U256::from(received));
    reconsider(rpc, a_first);
    assert_eq!(tip(rpc), a_tip, "A has more work");
    assert_eq!(story(rpc, &payments), told);
    assert_eq!(pending(rpc), NOTHING);
    node.stop();
    check_database(home.path());
}
