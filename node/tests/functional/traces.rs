//! Traces: what happened inside mined transactions, by every tracer.

use alloy_primitives::{Address, B256, U256, address, hex, keccak256};
use serde_json::{Value, json};

use crate::harness::{GWEI, Node, Rpc, Transfer, hash, home, lower, number, secp256k1, text};

const SHOP: Address = address!("00000000000000000000000000000000000000b2");
const GAS: u64 = 200_000;

/// Logs, then reverts with 0xaa.
const FAILING: &[u8] = &hex!("5f5fa0" "60aa5f53" "60015ffd");
/// What running it costs: 4 and 375 for the log, 11 for the memory, 5 for the end.
const FAILING_GAS: u64 = 395;
/// Gives what it has to its caller.
const MORTAL: &[u8] = &hex!("33ff");
/// Never ends.
const LOOP: &[u8] = &hex!("5b5f56");

/// Adds 1 to slot 0, logs under topic 7, calls `callee`, and returns whether that went well.
fn worker(callee: Address) -> Vec<u8> {
    [
        &hex!("5f546001015f55" "60075f5fa1" "5f5f5f5f5f73")[..],
        callee.as_slice(),
        &hex!("5af1" "5f5260205ff3"),
    ]
    .concat()
}

fn init(code: &[u8]) -> Vec<u8> {
    let len = u8::try_from(code.len()).unwrap();
    [&[0x60, len, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3], code].concat()
}

fn word(number: u64) -> B256 {
    B256::from(U256::from(number))
}

fn quantity(number: u64) -> String {
    format!("{number:#x}")
}

/// Sends by the node's own key and waits for the receipt.
#[track_caller]
fn mined(rpc: &Rpc, mut transaction: Value) -> Value {
    transaction["from"] = json!(secp256k1(0).address);
    transaction["gas"] = json!(quantity(GAS));
    rpc.mined(hash(&rpc.call("eth_sendTransaction", json!([transaction]))))
}

#[track_caller]
fn deploy(rpc: &Rpc, code: &[u8]) -> Address {
    let receipt = mined(rpc, json!({"data": hex::encode_prefixed(init(code))}));
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    text(&receipt["contractAddress"]).parse().unwrap()
}

/// The trace of the transaction that left `receipt`.
#[track_caller]
fn trace(rpc: &Rpc, receipt: &Value, options: Value) -> Value {
    rpc.call(
        "debug_traceTransaction",
        json!([receipt["transactionHash"], options]),
    )
}

#[track_caller]
fn calls(rpc: &Rpc, receipt: &Value) -> Value {
    trace(
        rpc,
        receipt,
        json!({"tracer": "callTracer", "tracerConfig": {"withLog": true}}),
    )
}

#[track_caller]
fn diff(rpc: &Rpc, receipt: &Value) -> Value {
    trace(
        rpc,
        receipt,
        json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}}),
    )
}

/// `op gasCost` of every step at this depth.
fn steps(trace: &Value, depth: u64) -> Vec<String> {
    let steps = trace["structLogs"].as_array().unwrap().iter();
    let steps = steps.filter(|step| step["depth"] == depth);
    steps
        .map(|step| format!("{} {}", text(&step["op"]), step["gasCost"]))
        .collect()
}

#[test]
fn a_plain_transfer() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let from = secp256k1(0).address;
    let receipt = mined(rpc, json!({"to": SHOP, "value": "0x5"}));
    let plain = json!({"gas": 21_000, "failed": false, "returnValue": "0x", "structLogs": []});
    assert_eq!(trace(rpc, &receipt, json!({})), plain);
    let call = json!({
        "type": "CALL", "from": from, "to": SHOP, "value": "0x5", "gas": quantity(GAS),
        "gasUsed": "0x5208", "input": "0x",
    });
    assert_eq!(calls(rpc, &receipt), call);
    for (tracer, nothing) in [("4byteTracer", json!({})), ("noopTracer", json!({}))] {
        assert_eq!(trace(rpc, &receipt, json!({"tracer": tracer})), nothing);
    }
    let before = trace(rpc, &receipt, json!({"tracer": "prestateTracer"}));
    assert_eq!(
        before[lower(from)],
        json!({"balance": rpc.call("eth_getBalance", json!([from, "0x0"]))})
    );
    let changed = diff(rpc, &receipt);
    assert_eq!(changed["post"][lower(SHOP)], json!({"balance": "0x5"}));
    let left = rpc.call("eth_getBalance", json!([from, "latest"]));
    assert_eq!(
        changed["post"][lower(from)],
        json!({"balance": left, "nonce": 1})
    );
}

#[test]
fn a_call_with_storage_a_log_and_a_call_that_reverts() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let from = secp256k1(0).address;
    let failing = deploy(rpc, FAILING);
    let contract = deploy(rpc, &worker(failing));
    let receipt = mined(rpc, json!({"to": contract, "data": "0x1234567809"}));
    let trace_by = |options| trace(rpc, &receipt, options);

    let tree = calls(rpc, &receipt);
    let inner = &tree["calls"][0];
    assert_eq!(
        tree,
        json!({
            "type": "CALL", "from": from, "to": contract, "value": "0x0", "gas": quantity(GAS),
            "gasUsed": receipt["gasUsed"], "input": "0x1234567809", "output": B256::ZERO,
            "logs": [{"address": contract, "topics": [word(7)], "data": "0x", "index": "0x0", "position": "0x0"}],
            "calls": [{
                "type": "CALL", "from": contract, "to": failing, "value": "0x0", "gas": inner["gas"],
                "gasUsed": quantity(FAILING_GAS), "input": "0x", "output": "0xaa",
                "error": "execution reverted",
            }],
        })
    );

    let log = trace_by(json!({"enableMemory": true, "enableReturnData": true}));
    assert_eq!(log["gas"], number(&receipt["gasUsed"]));
    assert_eq!(
        (&log["failed"], &log["returnValue"]),
        (&json!(false), &json!(B256::ZERO))
    );
    let handed_on = number(&inner["gas"]);
    assert_eq!(
        steps(&log, 1).join(", "),
        format!(
            "PUSH0 2, SLOAD 2100, PUSH1 3, ADD 3, PUSH0 2, SSTORE 20000, PUSH1 3, PUSH0 2, PUSH0 2, LOG1 750, \
             PUSH0 2, PUSH0 2, PUSH0 2, PUSH0 2, PUSH0 2, PUSH20 3, GAS 2, CALL {}, PUSH0 2, MSTORE 6, PUSH1 3, \
             PUSH0 2, RETURN 0",
            2_600 + handed_on
        )
    );
    let inside =
        "PUSH0 2, PUSH0 2, LOG0 375, PUSH1 3, PUSH0 2, MSTORE8 6, PUSH1 3, PUSH0 2, REVERT 0";
    assert_eq!(steps(&log, 2).join(", "), inside);
    let last = log["structLogs"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["returnData"], &last["memory"]),
        (&json!("0xaa"), &json!([B256::ZERO]))
    );

    assert_eq!(
        trace_by(json!({"tracer": "4byteTracer"})),
        json!({"0x12345678-1": 1})
    );
    let changed = diff(rpc, &receipt);
    let slot = word(0).to_string();
    assert_eq!(
        changed["post"][lower(contract)],
        json!({"storage": {slot: word(1)}})
    );
    assert_eq!(
        changed["pre"][lower(contract)].get("storage"),
        None,
        "the slot was empty"
    );
    assert_eq!(changed["post"].get(lower(failing)), None);
    let before = trace_by(json!({"tracer": "prestateTracer"}));
    assert_eq!(
        before[lower(failing)]["code"],
        hex::encode_prefixed(FAILING)
    );
    assert_eq!(
        before[lower(failing)]["codeHash"],
        json!(keccak256(FAILING))
    );
}

#[test]
fn a_contract_is_made_and_gives_itself_away() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let from = secp256k1(0).address;
    let code = init(MORTAL);
    let made = mined(
        rpc,
        json!({"data": hex::encode_prefixed(&code), "value": "0x6"}),
    );
    let contract: Address = text(&made["contractAddress"]).parse().unwrap();
    assert_eq!(
        calls(rpc, &made),
        json!({
            "type": "CREATE", "from": from, "to": contract, "value": "0x6", "gas": quantity(GAS),
            "gasUsed": made["gasUsed"], "input": hex::encode_prefixed(&code), "output": "0x33ff",
        })
    );
    let account =
        json!({"balance": "0x6", "nonce": 1, "code": "0x33ff", "codeHash": keccak256(MORTAL)});
    let changed = diff(rpc, &made);
    assert_eq!(
        (
            &changed["post"][lower(contract)],
            changed["pre"].get(lower(contract))
        ),
        (&account, None)
    );
    assert_eq!(trace(rpc, &made, json!({}))["returnValue"], "0x33ff");

    let gone = mined(rpc, json!({"to": contract}));
    assert_eq!(
        calls(rpc, &gone)["calls"],
        json!([{
            "type": "SELFDESTRUCT", "from": contract, "to": from, "value": "0x6", "gas": "0x0",
            "gasUsed": "0x0", "input": "0x",
        }])
    );
    let changed = diff(rpc, &gone);
    assert_eq!(changed["pre"][lower(contract)], account);
    assert_eq!(
        changed["post"][lower(contract)],
        json!({"balance": "0x0"}),
        "EIP-6780: the code stays"
    );
    assert_eq!(
        steps(&trace(rpc, &gone, json!({})), 1),
        ["CALLER 2", "SELFDESTRUCT 5000"]
    );
}

#[test]
fn a_transaction_that_fails() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let from = secp256k1(0).address;
    let contract = deploy(rpc, LOOP);
    let receipt = mined(rpc, json!({"to": contract}));
    assert_eq!(
        (&receipt["status"], &receipt["gasUsed"]),
        (&json!("0x0"), &json!(quantity(GAS)))
    );
    let log = trace(
        rpc,
        &receipt,
        json!({"disableStack": true, "disableStorage": true}),
    );
    assert_eq!(
        (&log["failed"], &log["returnValue"], &log["gas"]),
        (&json!(true), &json!("0x"), &json!(GAS))
    );
    let last = log["structLogs"].as_array().unwrap().last().unwrap();
    assert_eq!(last["error"], "out of gas");
    assert!(last["gas"].as_u64() < last["gasCost"].as_u64());
    let call = calls(rpc, &receipt);
    assert_eq!(
        (&call["error"], &call["gasUsed"]),
        (&json!("out of gas"), &json!(quantity(GAS)))
    );
    // The sender's, and nobody else's but the miner's.
    let changed = diff(rpc, &receipt);
    assert_eq!(changed["post"][lower(from)]["nonce"], 2);
    assert_eq!(changed["post"].get(lower(contract)), None);
}

/// The first of them comes last, so that one block takes all.
#[test]
fn a_block_with_several_transactions() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let failing = deploy(rpc, FAILING);
    let contract = deploy(rpc, &worker(failing));
    let account = secp256k1(1);
    let payments: Vec<_> = (0..3)
        .map(|nonce| account.pay(Transfer::new(SHOP, 1, nonce)))
        .collect();
    for payment in payments.iter().rev() {
        rpc.send(payment);
    }
    let block = rpc.mined(payments[2].hash())["blockNumber"].clone();
    let count = mined(rpc, json!({"to": contract}));
    for options in [
        json!({}),
        json!({"tracer": "callTracer"}),
        json!({"tracer": "prestateTracer"}),
        json!({"tracer": "prestateTracer", "tracerConfig": {"diffMode": true}}),
        json!({"tracer": "4byteTracer"}),
        json!({"tracer": "noopTracer"}),
    ] {
        for number in [&block, &count["blockNumber"]] {
            let shown = rpc.block(number.clone());
            let traces = rpc.call("debug_traceBlockByNumber", json!([number, options]));
            assert_eq!(
                rpc.call("debug_traceBlockByHash", json!([shown["hash"], options])),
                traces
            );
            let single = shown["transactions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|hash| {
                    let result = rpc.call("debug_traceTransaction", json!([hash, options]));
                    json!({"txHash": hash, "result": result})
                });
            assert_eq!(traces, Value::from_iter(single));
        }
    }
    let traces = rpc.call(
        "debug_traceBlockByNumber",
        json!([block, {"tracer": "prestateTracer"}]),
    );
    let nonce = |trace: &Value| {
        trace["result"][lower(account.address)]["nonce"]
            .as_u64()
            .unwrap_or_default()
    };
    let nonces: Vec<_> = traces.as_array().unwrap().iter().map(nonce).collect();
    assert_eq!(nonces, [0, 1, 2], "each sees what the others left");
}

#[test]
fn what_is_not_traced() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let receipt = mined(
        rpc,
        json!({"to": SHOP, "value": "0x1", "maxFeePerGas": quantity(10 * GWEI as u64)}),
    );
    let of = |options: Value| json!([receipt["transactionHash"], options]);
    rpc.refused(
        "debug_traceTransaction",
        of(json!({"tracer": "myTracer"})),
        -32602,
        "tracer not found",
    );
    rpc.refused(
        "debug_traceTransaction",
        of(json!({"timeout": "0s"})),
        -32000,
        "execution timeout",
    );
    rpc.refused(
        "debug_traceTransaction",
        json!([B256::ZERO]),
        -32000,
        "transaction not found",
    );
    rpc.refused(
        "debug_traceBlockByNumber",
        json!(["earliest"]),
        -32000,
        "genesis is not traceable",
    );
    // A call that runs as long as it may leaves more to tell than fits.
    let code = json!({SHOP.to_string(): {"code": hex::encode_prefixed(LOOP)}});
    let endless = json!([{"to": SHOP}, "latest", {"stateOverrides": code, "timeout": "120s"}]);
    rpc.refused(
        "debug_traceCall",
        endless,
        -32000,
        "the trace is larger than 64 MiB",
    );
}
