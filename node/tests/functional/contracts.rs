//! Contracts on a running chain: deployed, called, estimated, listened to, and failing.
//!
//! Most of it happens to `contracts/Probe.sol`, compiled beside it.

use alloy_primitives::{Address, B256, U256, address, hex, keccak256};
use serde_json::{Value, json};

use crate::harness::{
    GWEI, Node, Rpc, WebSocket, block_at, cairn, hash, home, native, number, secp256k1, text,
    wait_for,
};

/// Creation code of `Probe`.
const PROBE: &str = include_str!("contracts/Probe.hex");
/// Creation code of a contract that answers 42 to any call.
const ANSWERER: &[u8] = &hex!("6009 80 6009 5f 39 5f f3" "602a 5f 52 6020 5f f3");

const CREATE2_DEPLOYER: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");
const MULTICALL3: Address = address!("cA11bde05977b3631167028862bE2a173976CA11");

/// What an account sends that calls `to`.
fn call(to: Address, data: &[u8]) -> Value {
    json!({"from": secp256k1(0).address, "to": to, "data": hex::encode_prefixed(data)})
}

/// Calldata: the selector of a signature, and arguments of 32 bytes.
fn data(signature: &str, arguments: &[B256]) -> Vec<u8> {
    let selector = &keccak256(signature)[..4];
    [selector, arguments.concat().as_slice()].concat()
}

fn word(number: u64) -> B256 {
    B256::from(U256::from(number))
}

/// The words of a byte string in calldata: its length, and the bytes up to whole words.
fn tail(bytes: &[u8]) -> Vec<B256> {
    let words = bytes.chunks(32).map(B256::right_padding_from);
    std::iter::once(word(bytes.len() as u64))
        .chain(words)
        .collect()
}

/// `note(id, tag, text)`.
fn note(id: u64, tag: B256, text: &str) -> Vec<u8> {
    let arguments = [&[word(id), tag, word(96)], tail(text.as_bytes()).as_slice()].concat();
    data("note(uint256,bytes32,string)", &arguments)
}

/// Sends by the node's own key and waits for the receipt.
#[track_caller]
fn mined(rpc: &Rpc, transaction: &Value) -> Value {
    rpc.mined(hash(&rpc.call("eth_sendTransaction", json!([transaction]))))
}

/// Deploys `Probe`, which counts from `start`.
#[track_caller]
fn deploy(rpc: &Rpc, start: u64) -> Address {
    let code = [&hex::decode(PROBE.trim()).unwrap(), word(start).as_slice()].concat();
    let from = secp256k1(0).address;
    let receipt = mined(
        rpc,
        &json!({"from": from, "data": hex::encode_prefixed(code)}),
    );
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    text(&receipt["contractAddress"]).parse().unwrap()
}

/// The error object of a request, as it is on the wire.
#[track_caller]
fn error(rpc: &Rpc, method: &str, params: Value) -> Value {
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let (_, body) = rpc.post(&request.to_string()).unwrap();
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert!(answer["error"].is_object(), "{method} {params}: {answer}");
    answer["error"].clone()
}

fn count(rpc: &Rpc, probe: Address) -> U256 {
    let answer = rpc.call("eth_call", json!([call(probe, &data("count()", &[]))]));
    U256::from_be_bytes(hash(&answer).0)
}

#[test]
fn a_contract_is_deployed_and_called() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let deployer = secp256k1(0).address;
    let code = [&hex::decode(PROBE.trim()).unwrap(), word(5).as_slice()].concat();
    let wish = json!({"from": deployer, "data": hex::encode_prefixed(code), "value": "0x7"});
    let estimate = number(&rpc.call("eth_estimateGas", json!([wish])));
    let receipt = mined(rpc, &wish);
    let probe = deployer.create(0);
    assert_eq!(receipt["contractAddress"], json!(probe));
    assert_eq!(
        (&receipt["to"], &receipt["status"]),
        (&Value::Null, &json!("0x1"))
    );
    assert_eq!(number(&receipt["gasUsed"]), estimate, "nothing came back");
    assert_eq!(
        receipt["logs"][0]["topics"],
        json!([keccak256("Counted(uint256)")])
    );
    assert_eq!(hash(&receipt["logs"][0]["data"]), word(5));
    assert_eq!(rpc.balance(probe, "latest"), U256::from(7));
    assert!(text(&rpc.call("eth_getCode", json!([probe]))).len() > 1000);
    assert_eq!(count(rpc, probe), U256::from(5));
    assert_eq!(rpc.height(), 1, "a call changes nothing");

    let receipt = mined(rpc, &call(probe, &note(9, B256::ZERO, "a text")));
    assert_eq!(
        (&receipt["to"], &receipt["contractAddress"]),
        (&json!(probe), &Value::Null)
    );
    assert_eq!(count(rpc, probe), U256::from(6));
    let at_deployment = json!([call(probe, &data("count()", &[])), "0x1"]);
    assert_eq!(hash(&rpc.call("eth_call", at_deployment)), word(5));
    let stored = rpc.call(
        "eth_call",
        json!([call(probe, &data("notes(uint256)", &[word(9)]))]),
    );
    assert!(text(&stored).contains(&hex::encode("a text")), "{stored}");
    // A contract makes another one, where CREATE2 says.
    let salt = B256::repeat_byte(3);
    let wish = call(probe, &data("childAt(bytes32)", &[salt]));
    let promised = rpc.call("eth_call", json!([wish]));
    assert_eq!(mined(rpc, &wish)["status"], "0x1");
    let child = Address::from_word(hash(&promised));
    let answer = rpc.call("eth_call", json!([call(child, &data("answer()", &[]))]));
    assert_eq!(hash(&answer), word(42));
    assert_eq!(rpc.nonce(probe, "latest"), 2);
}

/// What is estimated suffices in a block, and one gas less does not.
#[test]
fn estimates_are_exact_in_blocks_too() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let probe = deploy(rpc, 0);
    let long = "a text that takes more than one word to write down";
    let cases = [
        ("a note", note(1, B256::ZERO, long)),
        ("a refund", data("forget(uint256)", &[word(1)])),
        ("a chain of calls", data("nest(uint256)", &[word(5)])),
        ("a long chain of calls", data("nest(uint256)", &[word(40)])),
        (
            "gas that comes back",
            data("demand(uint256)", &[word(1_000_000)]),
        ),
        ("a loop", data("countTo(uint256)", &[word(50)])),
    ];
    for (name, data) in cases {
        let wish = call(probe, &data);
        let estimate = number(&rpc.call("eth_estimateGas", json!([wish])));
        let with_gas = |gas: u64| {
            let mut wish = wish.clone();
            wish["gas"] = json!(format!("{gas:#x}"));
            wish
        };
        assert_eq!(
            mined(rpc, &with_gas(estimate - 1))["status"],
            "0x0",
            "{name}"
        );
        let receipt = mined(rpc, &with_gas(estimate));
        assert_eq!(receipt["status"], "0x1", "{name}");
        assert!(number(&receipt["gasUsed"]) <= estimate, "{name}");
    }
}

#[test]
fn what_fails_says_why() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let probe = deploy(rpc, 0);
    let fail = |how: u64| call(probe, &data("fail(uint256)", &[word(how)]));
    let too_small = data("TooSmall(uint256,uint256)", &[word(2), word(3)]);
    let panic = data("Panic(uint256)", &[word(0x11)]);
    let text = "no reason to go on";
    let reason = data(
        "Error(string)",
        &[&[word(32)], tail(text.as_bytes()).as_slice()].concat(),
    );
    for (how, message, output) in [
        (1, "execution reverted: no reason to go on", &reason),
        (2, "execution reverted", &too_small),
        (
            3,
            "execution reverted: arithmetic underflow or overflow",
            &panic,
        ),
        (6, "execution reverted", &vec![]),
    ] {
        let expected = json!({"code": 3, "message": message, "data": hex::encode_prefixed(output)});
        for method in ["eth_call", "eth_estimateGas", "eth_sendTransaction"] {
            assert_eq!(error(rpc, method, json!([fail(how)])), expected, "{method}");
        }
    }
    for method in ["eth_call", "eth_estimateGas", "eth_sendTransaction"] {
        rpc.refused(method, json!([fail(4)]), -32000, "invalid opcode: INVALID");
    }
    rpc.refused("eth_call", json!([fail(5)]), -32000, "out of gas");
    let words = "gas required exceeds allowance (16777216)";
    rpc.refused("eth_estimateGas", json!([fail(5)]), -32000, words);

    // In a block: status 0, no logs; a revert gives back what it did not use, a halt nothing.
    for (how, keeps_all) in [(1, false), (4, true), (5, true)] {
        let mut wish = fail(how);
        wish["gas"] = json!("0x186a0");
        let receipt = mined(rpc, &wish);
        assert_eq!(
            (&receipt["status"], &receipt["logs"]),
            (&json!("0x0"), &json!([]))
        );
        assert_eq!(
            number(&receipt["gasUsed"]) == 100_000,
            keeps_all,
            "{receipt}"
        );
    }
    // A constructor that reverts leaves no contract.
    let code = [&hex::decode(PROBE.trim()).unwrap(), word(1000).as_slice()].concat();
    let from = secp256k1(1).address;
    let mut wish = json!({"from": from, "data": hex::encode_prefixed(code)});
    let refusal = error(rpc, "eth_sendTransaction", json!([wish]));
    assert_eq!(refusal["message"], "execution reverted: start too large");
    wish["gas"] = json!("0x1e8480");
    let receipt = mined(rpc, &wish);
    assert_eq!(receipt["status"], "0x0");
    assert_eq!(receipt["contractAddress"], json!(from.create(0)));
    assert_eq!(rpc.call("eth_getCode", json!([from.create(0)])), "0x");
}

#[test]
fn logs_are_found_by_every_filter() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let (one, other) = (deploy(rpc, 0), deploy(rpc, 0));
    let tags = [B256::repeat_byte(1), B256::repeat_byte(2)];
    let mut blocks = Vec::new();
    for (probe, id, tag) in [(one, 1, tags[0]), (one, 2, tags[1]), (other, 1, tags[1])] {
        let receipt = mined(rpc, &call(probe, &note(id, tag, "x")));
        blocks.push((
            number(&receipt["blockNumber"]),
            receipt["blockHash"].clone(),
        ));
    }
    let noted = keccak256("Noted(address,uint256,bytes32,string)");
    let sender = secp256k1(0).address.into_word();
    let first = block_at(blocks[0].0);
    for (query, expected) in [
        (json!({"fromBlock": "0x0"}), vec![1, 2, 3, 4, 5]),
        (json!({"fromBlock": first}), vec![3, 4, 5]),
        (json!({"fromBlock": first, "toBlock": first}), vec![3]),
        (json!({"blockHash": blocks[1].1}), vec![4]),
        (
            json!({"fromBlock": "earliest", "address": other}),
            vec![2, 5],
        ),
        (
            json!({"fromBlock": "0x0", "address": [one, other], "topics": [noted]}),
            vec![3, 4, 5],
        ),
        (
            json!({"fromBlock": "0x0", "topics": [noted, sender, word(1)]}),
            vec![3, 5],
        ),
        (
            json!({"fromBlock": "0x0", "topics": [null, null, null, tags[1]]}),
            vec![4, 5],
        ),
        (
            json!({"fromBlock": "0x0", "topics": [null, null, [word(2), word(3)], tags]}),
            vec![4],
        ),
        (json!({"fromBlock": "0x0", "topics": [sender]}), vec![]),
    ] {
        let logs = rpc.call("eth_getLogs", json!([query]));
        let found: Vec<_> = logs
            .as_array()
            .unwrap()
            .iter()
            .map(|log| number(&log["blockNumber"]))
            .collect();
        assert_eq!(found, expected, "{query}");
    }
    let log = &rpc.call("eth_getLogs", json!([{"blockHash": blocks[1].1}]))[0];
    let receipt = rpc.receipt(hash(&log["transactionHash"]));
    assert_eq!(receipt["logs"], json!([log]));
    let block = rpc.block(block_at(blocks[1].0));
    assert_eq!(block["logsBloom"], receipt["logsBloom"]);
    let both = json!([{"blockHash": blocks[1].1, "fromBlock": "0x0"}]);
    rpc.refused("eth_getLogs", both, -32602, "cannot specify both");
    let backwards = json!([{"fromBlock": "0x2", "toBlock": "0x1"}]);
    rpc.refused(
        "eth_getLogs",
        backwards,
        -32602,
        "invalid block range params",
    );
    node.stop();

    let node = Node::start(home.path(), &["dev"]);
    let again = node
        .rpc()
        .call("eth_getLogs", json!([{"blockHash": blocks[1].1}]));
    assert_eq!(again, json!([log]), "after a restart");
}

/// ```text
///   1 (deploys) ─┬─ A2 (logs)
///                └─ B2 (the same transaction, mined again)
/// ```
#[test]
fn a_reorganization_takes_logs_back() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let probe = deploy(rpc, 0);
    let filter = rpc.call("eth_newFilter", json!([{"address": probe}]));
    let blocks = rpc.call("eth_newBlockFilter", json!([]));
    let changes = |filter: &Value| rpc.call("eth_getFilterChanges", json!([filter]));
    let receipt = mined(rpc, &call(probe, &note(1, B256::ZERO, "x")));
    let (transaction, a2) = (
        hash(&receipt["transactionHash"]),
        receipt["blockHash"].clone(),
    );
    assert_eq!(changes(&filter), receipt["logs"]);
    assert_eq!(changes(&blocks), json!([a2]));

    rpc.call("cairn_invalidateBlock", json!([a2]));
    rpc.refused(
        "eth_getLogs",
        json!([{"blockHash": a2}]),
        -32000,
        "hash is not currently canonical",
    );
    let receipt_again = wait_for("the transaction in another block", || {
        let receipt = rpc.receipt(transaction);
        (receipt.is_object() && receipt["blockHash"] != a2).then_some(receipt)
    });
    let all = rpc.call(
        "eth_getLogs",
        json!([{"fromBlock": "0x2", "address": probe}]),
    );
    assert_eq!(all, receipt_again["logs"], "those of A2 are gone");
    let mut taken_back = receipt["logs"][0].clone();
    taken_back["removed"] = json!(true);
    assert_eq!(
        changes(&filter),
        json!([taken_back, receipt_again["logs"][0]])
    );
    assert_eq!(changes(&blocks), json!([receipt_again["blockHash"]]));
    assert_eq!(changes(&filter), json!([]));
    assert_eq!(rpc.call("eth_uninstallFilter", json!([filter])), true);
    rpc.refused(
        "eth_getFilterChanges",
        json!([filter]),
        -32000,
        "filter not found",
    );
    node.stop();
    let data = home.path().to_str().unwrap();
    let checked = cairn(&["db", "check", "--chain", "dev", "--datadir", data]).success();
    assert!(checked.starts_with("ok: 3 blocks"), "{checked}");
}

/// Multicall3's `aggregate((address,bytes)[])` of calls without arguments.
fn aggregate(calls: &[(Address, &str)]) -> Vec<u8> {
    let mut arguments = vec![word(32), word(calls.len() as u64)];
    let heads = calls.len() as u64 * 32;
    arguments.extend((0..calls.len() as u64).map(|index| word(heads + index * 128)));
    for (to, signature) in calls {
        arguments.extend([to.into_word(), word(64)]);
        arguments.extend(tail(&data(signature, &[])));
    }
    data("aggregate((address,bytes)[])", &arguments)
}

#[test]
fn predeploys_work_where_tools_look_for_them() {
    for (arguments, chain_id) in [
        (&["dev"][..], 31337),
        (
            &["run", "--chain", "devnet", "--mine=on-transaction"],
            31338,
        ),
    ] {
        let home = home();
        let node = Node::start(home.path(), arguments);
        let rpc = node.rpc();
        let salt = B256::repeat_byte(7);
        let place = CREATE2_DEPLOYER.create2(salt, keccak256(ANSWERER));
        let wish = call(CREATE2_DEPLOYER, &[salt.as_slice(), ANSWERER].concat());
        let receipt = mined(rpc, &wish);
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        assert_ne!(rpc.call("eth_getCode", json!([place])), "0x");

        let calls = [
            (MULTICALL3, "getChainId()"),
            (place, "anything()"),
            (MULTICALL3, "getBlockNumber()"),
        ];
        let answer = rpc.call("eth_call", json!([call(MULTICALL3, &aggregate(&calls))]));
        let words = hex::decode(text(&answer)).unwrap();
        let words: Vec<_> = words.chunks(32).map(B256::from_slice).collect();
        // The block number, and three byte strings of one word each.
        assert_eq!(words[0], word(rpc.height()));
        let results: Vec<_> = [7, 9, 11].map(|at| words[at]).to_vec();
        assert_eq!(results, [word(chain_id), word(42), word(rpc.height())]);
    }
}

/// A contract tells whether a native account has signed.
#[test]
fn a_contract_verifies_an_ed25519_signature() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let probe = deploy(rpc, 0);
    let signer = native(0);
    let digest = keccak256("a contract has to know");
    let asks = |signature: [u8; 64], digest: B256| {
        let mut arguments = vec![B256::from(signer.public_key()), word(96), digest];
        arguments.extend(tail(&signature));
        let data = data("signed(bytes32,bytes,bytes32)", &arguments);
        hash(&rpc.call("eth_call", json!([call(probe, &data)])))
    };
    let signature = signer.ed25519(digest.as_slice());
    assert_eq!(asks(signature, digest), word(1));
    assert_eq!(asks(signature, keccak256("something else")), word(0));
    let mut forged = signature;
    forged[40] ^= 1;
    assert_eq!(asks(forged, digest), word(0));
}

#[test]
fn access_lists_are_made_and_taken() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let probe = deploy(rpc, 0);
    let mut wish = call(probe, &note(1, B256::ZERO, "x"));
    let made = rpc.call("eth_createAccessList", json!([wish]));
    let listed = &made["accessList"][0];
    assert_eq!(listed["address"], json!(probe));
    // The count, and where the note is stored.
    let place = keccak256([word(1), word(0)].concat());
    let mut slots = [word(1), place];
    slots.sort_unstable();
    assert_eq!(listed["storageKeys"], json!(slots));
    wish["accessList"] = made["accessList"].clone();
    wish["gasPrice"] = json!(format!("{:#x}", 3 * GWEI));
    let receipt = mined(rpc, &wish);
    assert_eq!(
        (&receipt["type"], &receipt["status"]),
        (&json!("0x1"), &json!("0x1"))
    );
    assert_eq!(receipt["gasUsed"], made["gasUsed"]);
}

#[test]
fn subscriptions_tell_over_a_websocket() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    let probe = deploy(rpc, 0);
    let ask = |method: &str, params: Value| json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let subscriber = |params: Value| {
        let mut socket = WebSocket::open(node.address(), &[]).unwrap();
        let id = socket.ask(&ask("eth_subscribe", params))["result"].clone();
        assert!(text(&id).starts_with("0x"), "{id}");
        (socket, id)
    };
    let (mut heads, heads_id) = subscriber(json!(["newHeads"]));
    let (mut logs, logs_id) = subscriber(json!(["logs", {"address": probe}]));
    let receipt = mined(rpc, &call(probe, &note(1, B256::ZERO, "x")));
    let told = |socket: &mut WebSocket, id: &Value| {
        let message = socket.receive().unwrap();
        assert_eq!(
            (&message["method"], &message["params"]["subscription"]),
            (&json!("eth_subscription"), id)
        );
        message["params"]["result"].clone()
    };
    let head = told(&mut heads, &heads_id);
    assert_eq!(
        head,
        rpc.call("eth_getHeaderByHash", json!([receipt["blockHash"]]))
    );
    assert_eq!(told(&mut logs, &logs_id), receipt["logs"][0]);
    let over_http = json!(["newHeads"]);
    rpc.refused(
        "eth_subscribe",
        over_http,
        -32601,
        "notifications not supported",
    );
    let ended = heads.ask(&ask("eth_unsubscribe", json!([heads_id])));
    assert_eq!(ended["result"], true, "{ended}");
    mined(rpc, &call(probe, &note(2, B256::ZERO, "x")));
    told(&mut logs, &logs_id);
    let next = heads.ask(&ask("eth_blockNumber", json!([])));
    assert_eq!(
        next["result"], "0x3",
        "no head came before this answer: {next}"
    );
}
