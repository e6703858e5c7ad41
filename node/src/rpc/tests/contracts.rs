//! Calls, estimates and access lists of contracts written by hand.

use std::time::Duration;

use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use serde_json::{Value, json};

use super::fixture::*;
use super::quantity;

/// Who owns the code of these tests, by state override.
const CODE: Address = Address::repeat_byte(0xc0);
const OTHER: Address = Address::repeat_byte(0xc1);

/// CALL to whom calldata names, with all gas, and a REVERT if it fails; else slot 0 := 1.
const FORWARD: &str = "5f5f5f5f5f5f355af115600f57005b5f5ffd";
/// Writes 1 to slot 0 and stops.
const WRITE: &str = "60015f5500";
/// Writes 0 to slot 0 and stops.
const ERASE: &str = "5f5f5500";

/// One call to [`CODE`], whose code is `code`, in the world of `others`.
fn to_code(code: &str, others: &[(Address, Value)], data: &[u8]) -> Value {
    let mut world = json!({CODE.to_string(): {"code": format!("0x{code}")}});
    for (address, account) in others {
        world[address.to_string()] = account.clone();
    }
    let call = json!({"from": ALICE, "to": CODE, "data": Bytes::copy_from_slice(data)});
    json!([call, "latest", world])
}

/// The estimate, after it was checked that one gas less does not do.
async fn exact_estimate(node: &Node, params: Value) -> u64 {
    let estimate = quantity(&node.get("eth_estimateGas", params.clone()).await);
    let with_gas = |gas: u64| {
        let mut params = params.clone();
        params[0]["gas"] = json!(format!("{gas:#x}"));
        params
    };
    node.get("eth_call", with_gas(estimate)).await;
    let less = node.ask("eth_call", with_gas(estimate - 1)).await;
    assert!(less.is_err(), "{} gas would do", estimate - 1);
    estimate
}

fn word(address: Address) -> [u8; 32] {
    address.into_word().0
}

#[tokio::test]
async fn estimates_are_exact() {
    let node = Node::start();
    let plain = exact_estimate(&node, to_code(WRITE, &[], &[])).await;
    assert_eq!(plain, 21_000 + 3 + 2 + 22_100);
    // The refund of 4,800 is spent before it comes back.
    let filled = json!({"code": format!("0x{ERASE}"), "stateDiff": {B256::ZERO.to_string(): B256::with_last_byte(1)}});
    let erase = exact_estimate(&node, to_code("00", &[(CODE, filled)], &[])).await;
    assert_eq!(erase, 21_000 + 2 + 2 + 5_000);
    // A 64th of what is left stays behind, and the callee needs 22,105.
    let callee = (OTHER, json!({"code": format!("0x{WRITE}")}));
    let nested = exact_estimate(&node, to_code(FORWARD, &[callee], &word(OTHER))).await;
    let data = 12 * 4 + 20 * 16;
    let before_call = 5 * 2 + 2 + 3 + 2 + 2_600;
    let left = (22_105..).find(|left| left - left / 64 == 22_105).unwrap();
    assert_eq!(nested, 21_000 + data + before_call + left);
}

#[tokio::test]
async fn a_machine_that_was_used_before_answers_alike() {
    let node = Node::start();
    for _ in 0..3 {
        for (code, expected) in [
            ("602a5f5260205ff3", Some(42_u64)),
            ("602b5f5260205ff3", Some(43)),
            ("5f5ffd", None),
        ] {
            let answer = node.ask("eth_call", to_code(code, &[], &[])).await;
            let expected = expected.map(|number| json!(B256::from(U256::from(number))));
            assert_eq!(answer.ok(), expected);
        }
    }
}

#[tokio::test]
async fn reverts_carry_code_reason_and_data() {
    let node = Node::start();
    // REVERT with the calldata.
    let echo = "365f5f37365ffd";
    let reason = hex!(
        "08c379a0"
        "0000000000000000000000000000000000000000000000000000000000000020"
        "0000000000000000000000000000000000000000000000000000000000000002"
        "6e6f000000000000000000000000000000000000000000000000000000000000"
    );
    let panic = hex!("4e487b71" "0000000000000000000000000000000000000000000000000000000000000012");
    for (data, message) in [
        (&reason[..], "execution reverted: no"),
        (&panic, "execution reverted: division or modulo by zero"),
        (&hex!("deadbeef01"), "execution reverted"),
        (&[], "execution reverted"),
    ] {
        for method in ["eth_call", "eth_estimateGas"] {
            let error = node
                .ask(method, to_code(echo, &[], data))
                .await
                .unwrap_err();
            let expected =
                json!({"code": 3, "message": message, "data": Bytes::copy_from_slice(data)});
            assert_eq!(error, expected, "{method}");
        }
    }
    // The same while gas is filled in: init code that reverts with a custom error.
    let init = hex!("63deadbeef5f526004601cfd");
    let deploy = json!([{"from": ALICE, "data": Bytes::copy_from_slice(&init)}]);
    let error = node.ask("eth_sendTransaction", deploy).await.unwrap_err();
    let expected = json!({"code": 3, "message": "execution reverted", "data": "0xdeadbeef"});
    assert_eq!(error, expected);
}

#[tokio::test]
async fn halts_are_named_in_geths_words() {
    let node = Node::start();
    for (code, words) in [
        ("fe", "invalid opcode: INVALID"),
        ("0c", "invalid opcode: opcode 0xc not defined"),
        ("01", "stack underflow"),
        ("5b5f5f56", "stack limit reached 1024"),
        ("600056", "invalid jump destination"),
        ("60015f5f3e", "return data out of bounds"),
    ] {
        let error = node
            .ask("eth_call", to_code(code, &[], &[]))
            .await
            .unwrap_err();
        assert_eq!(
            (&error["code"], &error["message"]),
            (&json!(-32000), &json!(words))
        );
        let estimated = node.ask("eth_estimateGas", to_code(code, &[], &[])).await;
        assert_eq!(estimated.unwrap_err()["message"], words);
    }
    let endless = to_code("5b5f56", &[], &[]);
    let error = node.ask("eth_call", endless.clone()).await.unwrap_err();
    assert_eq!(error["message"], "out of gas");
    let error = node.ask("eth_estimateGas", endless).await.unwrap_err();
    assert_eq!(
        error["message"],
        "gas required exceeds allowance (16777216)"
    );
    for (init, words) in [
        (
            "0x60ef5f5360015ff3",
            "invalid code: must not begin with 0xef",
        ),
        ("0x6160015ff3", "max code size exceeded"),
    ] {
        let error = node
            .ask("eth_call", json!([{"data": init}]))
            .await
            .unwrap_err();
        assert_eq!(error["message"], words);
    }
    let long = Bytes::from(vec![0; 49_153]);
    let error = node
        .ask("eth_call", json!([{"data": long}]))
        .await
        .unwrap_err();
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .starts_with("max initcode size exceeded")
    );
}

#[tokio::test]
async fn an_access_list_names_what_is_touched() {
    let node = Node::start();
    // SLOAD 7 of its own; BALANCE of Bob, of itself, of the sender and of a precompile; then FORWARD.
    let own = "60075450";
    let balances =
        format!("73{}31503031503331506004315050", hex::encode(BOB)).replace("315050", "3150");
    let code = format!("{own}{balances}5f5f5f5f5f5f355af100");
    let callee = (OTHER, json!({"code": format!("0x{WRITE}")}));
    let params = to_code(&code, &[callee], &word(OTHER));
    let answer = node.get("eth_createAccessList", params.clone()).await;
    let slot = |number| B256::with_last_byte(number);
    let mut expected = vec![
        json!({"address": CODE, "storageKeys": [slot(7)]}),
        json!({"address": OTHER, "storageKeys": [slot(0)]}),
        json!({"address": BOB, "storageKeys": []}),
    ];
    expected.sort_by_key(|item| item["address"].to_string());
    assert_eq!(answer["accessList"], json!(expected));
    assert!(answer.get("error").is_none());
    // What it uses with the list is what an estimate with the list says.
    let mut listed = params;
    listed[0]["accessList"] = answer["accessList"].clone();
    assert_eq!(node.get("eth_createAccessList", listed).await, answer);
    let failing = to_code("600754fe", &[], &[]);
    let answer = node.get("eth_createAccessList", failing).await;
    assert_eq!(answer["error"], "invalid opcode: INVALID");
    assert_eq!(
        answer["accessList"],
        json!([{"address": CODE, "storageKeys": [slot(7)]}])
    );
}

#[tokio::test]
async fn blocks_execute_contracts() {
    let node = Node::start();
    // Deploys code that stores its calldata's first word, and logs it.
    let runtime = "5f35805f555f525f5f60205fa100";
    let init = format!("0x600e8060095f395ff3{runtime}");
    let deploy = json!([{"from": ALICE, "data": init}]);
    let deployment = node.get("eth_sendTransaction", deploy).await;
    node.mine();
    let receipt = node
        .get("eth_getTransactionReceipt", json!([deployment]))
        .await;
    let contract = json!(ALICE.create(0));
    assert_eq!(
        (&receipt["status"], &receipt["contractAddress"]),
        (&json!("0x1"), &contract)
    );
    assert_eq!(receipt["to"], Value::Null);
    let code = node.get("eth_getCode", json!([contract])).await;
    assert_eq!(code, format!("0x{runtime}"));

    let value = B256::repeat_byte(0x11);
    let set = json!({"from": ALICE, "to": contract, "data": value});
    let estimate = quantity(&node.get("eth_estimateGas", json!([set])).await);
    let mut short = set.clone();
    short["gas"] = json!(format!("{:#x}", estimate - 1));
    let starved = node.get("eth_sendTransaction", json!([short])).await;
    let sent = node.get("eth_sendTransaction", json!([set])).await;
    node.mine();
    let receipt = node.get("eth_getTransactionReceipt", json!([sent])).await;
    assert_eq!(
        (&receipt["status"], quantity(&receipt["gasUsed"])),
        (&json!("0x1"), estimate)
    );
    assert_eq!(receipt["logs"][0]["address"], contract);
    assert_eq!(receipt["logs"][0]["topics"], json!([B256::ZERO]));
    assert_eq!(receipt["logs"][0]["data"], json!(value));
    let stored = node.get("eth_getStorageAt", json!([contract, "0x0"])).await;
    assert_eq!(stored, json!(value));
    // A halt keeps all its gas, and leaves nothing behind.
    let receipt = node
        .get("eth_getTransactionReceipt", json!([starved]))
        .await;
    assert_eq!(
        (&receipt["status"], &receipt["logs"]),
        (&json!("0x0"), &json!([]))
    );
    assert_eq!(quantity(&receipt["gasUsed"]), estimate - 1);
    let topic = keccak256("nothing of the kind");
    let none = json!([{"fromBlock": "0x0", "topics": [topic]}]);
    assert_eq!(node.get("eth_getLogs", none).await, json!([]));
}

#[tokio::test]
async fn calls_end_when_their_time_is_up() {
    let mut node = Node::start();
    let call = json!([{"from": ALICE, "to": CAROL, "value": "0x1"}]);
    for method in ["eth_call", "eth_estimateGas", "eth_createAccessList"] {
        node.get(method, call.clone()).await;
    }
    node.hurry(Duration::ZERO);
    for method in ["eth_call", "eth_estimateGas", "eth_createAccessList"] {
        let error = node.ask(method, call.clone()).await.unwrap_err();
        assert_eq!(error["code"], -32000, "{error}");
        let message = error["message"].as_str().unwrap();
        let words = "execution aborted (timeout = 0ns): ";
        assert!(message.starts_with(words), "{method}: {message}");
    }
}

/// A run that is watched is ended in its middle: it reads nothing at which it could end.
#[tokio::test]
async fn an_access_list_ends_when_its_time_is_up() {
    let mut node = Node::start();
    // JUMPDESTs, one gas each, from the beginning again and again: all the gas takes much longer.
    let code = format!("{}5f56", "5b".repeat(20_000));
    let params = to_code(&code, &[], &[]);
    let answer = node.get("eth_createAccessList", params.clone()).await;
    assert_eq!(answer["error"], "out of gas");
    node.hurry(Duration::from_millis(20));
    let error = node.ask("eth_createAccessList", params).await.unwrap_err();
    let message = error["message"].as_str().unwrap();
    let words = "execution aborted (timeout = 20ms): ";
    assert!(message.starts_with(words), "{message}");
}
