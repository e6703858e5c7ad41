//! Transactions that the node does not take: each with its code, the words that tools know, and
//! no trace left behind.

use alloy_consensus::transaction::RlpEcdsaEncodableTx;
use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
use alloy_primitives::{Address, Bytes, TxKind, U256, address, hex};
use cairn_genesis::{NativeTransaction, Transaction};
use serde_json::json;

use crate::harness::{DEV, GWEI, Node, Rpc, Transfer, home, lower, native, number, secp256k1};

const SHOP: Address = address!("00000000000000000000000000000000000000b2");

/// Sends bytes that are refused in one line that begins with `words`.
fn refused(rpc: &Rpc, envelope: &[u8], words: &str) {
    let params = json!([hex::encode_prefixed(envelope)]);
    let message = rpc.refused("eth_sendRawTransaction", params, -32000, words);
    assert!(!message.contains('\n'), "{message}");
    assert!(
        message.len() > words.len(),
        "more than bare words: {message}"
    );
}

/// `transaction` with another byte at `at`.
fn flipped(transaction: &Transaction, at: usize) -> Vec<u8> {
    let mut envelope = transaction.envelope().to_vec();
    envelope[at] ^= 1;
    envelope
}

/// A legacy transaction from before EIP-155, which any chain would take.
fn without_chain_id() -> Vec<u8> {
    let body = TxLegacy {
        chain_id: None,
        nonce: 0,
        gas_price: 5 * GWEI,
        gas_limit: 21_000,
        to: TxKind::Call(SHOP),
        value: U256::ONE,
        input: Bytes::new(),
    };
    let signature = secp256k1(0).secp256k1(body.signature_hash());
    let mut envelope = Vec::new();
    body.rlp_encode_signed(&signature, &mut envelope);
    envelope
}

fn payment() -> TxEip1559 {
    TxEip1559 {
        chain_id: DEV,
        nonce: 0,
        gas_limit: 21_000,
        max_fee_per_gas: 5 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TxKind::Call(SHOP),
        value: U256::ONE,
        ..Default::default()
    }
}

/// What is wrong with an envelope whatever the state.
fn wrong_in_themselves() -> Vec<(Vec<u8>, &'static str)> {
    let sign = |body: TxEip1559| secp256k1(0).sign(body).envelope().to_vec();
    let valid = secp256k1(0).sign(payment());
    let native = native(0).pay(Transfer::new(SHOP, 1, 0));
    let last = native.envelope().len() - 1;
    let mut longer = valid.envelope().to_vec();
    longer.push(0);
    vec![
        (hex!("03c0").to_vec(), "transaction type not supported"),
        (hex!("05c0").to_vec(), "transaction type not supported"),
        (vec![], "typed transaction too short"),
        (
            without_chain_id(),
            "only replay-protected (EIP-155) transactions allowed over RPC",
        ),
        (longer, "transaction could not be decoded"),
        (
            valid.envelope()[..40].to_vec(),
            "transaction could not be decoded",
        ),
        (flipped(&native, last), "invalid sender"),
        (
            sign(TxEip1559 {
                chain_id: 1,
                ..payment()
            }),
            "invalid chain id for signer",
        ),
        (
            sign(TxEip1559 {
                gas_limit: 20_999,
                ..payment()
            }),
            "intrinsic gas too low",
        ),
        (
            sign(TxEip1559 {
                gas_limit: (1 << 24) + 1,
                ..payment()
            }),
            "transaction gas limit too high",
        ),
        (
            sign(TxEip1559 {
                max_priority_fee_per_gas: 6 * GWEI,
                ..payment()
            }),
            "max priority fee per gas higher than max fee per gas",
        ),
        (
            sign(TxEip1559 {
                nonce: u64::MAX,
                ..payment()
            }),
            "nonce has max value",
        ),
    ]
}

#[test]
fn what_can_never_be_mined_is_refused() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    for (envelope, words) in wrong_in_themselves() {
        refused(rpc, &envelope, words);
    }
    let params = json!(["no hex"]);
    rpc.refused(
        "eth_sendRawTransaction",
        params,
        -32602,
        "parameter 1 (signed transaction)",
    );
    rpc.refused(
        "eth_sendRawTransaction",
        json!([]),
        -32602,
        "parameter 1 (signed transaction)",
    );
    untouched(rpc);
}

/// No block, nothing in the pool.
fn untouched(rpc: &Rpc) {
    assert_eq!(rpc.height(), 0);
    let status = rpc.call("txpool_status", json!([]));
    assert_eq!(status, json!({"pending": "0x0", "queued": "0x0"}));
}

#[test]
fn what_the_state_speaks_against_is_refused() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let payer = native(0);
    let body = |nonce, value, input: Bytes| NativeTransaction {
        chain_id: DEV,
        nonce,
        max_priority_fee: GWEI,
        max_fee: 5 * GWEI,
        gas_limit: 16_000_000,
        to: TxKind::Call(SHOP),
        value,
        input,
        access_list: Default::default(),
        public_key: payer.public_key(),
    };

    let more_than_all = payer.sign(body(0, U256::from(10).pow(U256::from(23)), Bytes::new()));
    rpc.send_refused(&more_than_all, "insufficient funds for gas * price + value");
    let long = payer.sign(body(0, U256::ZERO, vec![0; 128 << 10].into()));
    rpc.send_refused(&long, "oversized data");
    rpc.send_refused(&payer.pay(Transfer::new(SHOP, 1, 65)), "nonce too high");
    untouched(rpc);

    rpc.send_and_mine(&payer.pay(Transfer::new(SHOP, 1, 0)));
    rpc.send_refused(
        &payer.pay(Transfer::new(SHOP, 2, 0)),
        "nonce too low: got 0, expected 1",
    );
    assert_eq!(rpc.height(), 1);
}

/// What waits is replaced by what raises both fees by a tenth, and by nothing less.
#[test]
fn a_replacement_has_to_pay_a_tenth_more() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let payer = secp256k1(7);
    let offer = |max_fee, tip| {
        payer.pay(Transfer {
            max_fee,
            tip,
            ..Transfer::new(SHOP, 1, 3)
        })
    };
    let first = offer(100, 10);
    let sent = rpc.send(&first);
    rpc.send_refused(&first, "already known");
    for (max_fee, tip) in [(109, 11), (110, 10), (1_000, 10), (100, 10 + 1)] {
        rpc.send_refused(&offer(max_fee, tip), "replacement transaction underpriced");
    }
    let second = rpc.send(&offer(110, 11));
    let pool = rpc.call("txpool_content", json!([]));
    let queued = &pool["queued"][lower(payer.address)]["3"];
    assert_eq!(queued["hash"], json!(second), "{pool}");
    assert!(
        rpc.call("eth_getTransactionByHash", json!([sent]))
            .is_null()
    );
    let status = rpc.call("txpool_status", json!([]));
    assert_eq!(
        (number(&status["pending"]), number(&status["queued"])),
        (0, 1)
    );
}
