//! HTTP and WebSocket on one port; and what happens to requests that are none.

use serde_json::{Value, json};

use crate::harness::{Node, WebSocket, exchange, home, http, text};

const JSON: &str = "Content-Type: application/json";
const LOCAL: &str = "Host: localhost";

fn request(id: u64, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn chain_id() -> String {
    request(1, "eth_chainId", json!([])).to_string()
}

/// Posts `body` and gives the JSON of the answer, whatever its status.
fn post(node: &Node, body: &str) -> Value {
    let (_, answer) = node.rpc().post(body).unwrap();
    serde_json::from_str(&answer).unwrap_or_else(|_| panic!("no JSON: {answer}"))
}

#[test]
fn batches_are_answered_in_order() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let batch = json!([
        request(7, "eth_chainId", json!([])),
        request(3, "eth_nonsense", json!([])),
        {"jsonrpc": "2.0", "id": "five", "method": "eth_blockNumber"},
        5,
        request(4, "eth_getBalance", json!(["0x12"])),
    ]);
    let answers = post(&node, &batch.to_string());
    assert_eq!(
        answers[0],
        json!({"jsonrpc": "2.0", "id": 7, "result": "0x7a69"})
    );
    assert_eq!(
        (&answers[1]["id"], &answers[1]["error"]["code"]),
        (&json!(3), &json!(-32601))
    );
    assert_eq!(
        answers[2],
        json!({"jsonrpc": "2.0", "id": "five", "result": "0x0"})
    );
    assert_eq!(
        (&answers[3]["id"], &answers[3]["error"]["code"]),
        (&Value::Null, &json!(-32600))
    );
    assert_eq!(
        (&answers[4]["id"], &answers[4]["error"]["code"]),
        (&json!(4), &json!(-32602))
    );
    assert_eq!(answers.as_array().unwrap().len(), 5);

    let many =
        |count: usize| Value::from_iter((0..count).map(|_| request(1, "eth_chainId", json!([]))));
    assert_eq!(
        post(&node, &many(1_000).to_string())
            .as_array()
            .unwrap()
            .len(),
        1_000
    );
    assert_eq!(
        post(&node, &many(1_001).to_string())["error"]["code"],
        -32010
    );
    assert_eq!(post(&node, "[]")["error"]["code"], -32600);
}

#[test]
fn what_is_no_request_gets_the_code_for_it() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    for (body, code) in [
        ("{", -32700),
        ("", -32700),
        ("{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": ", -32700),
        ("\"eth_chainId\"", -32700),
        ("{\"id\": 1, \"method\": \"eth_chainId\"}", -32600),
        ("{\"jsonrpc\": \"2.0\", \"id\": 1}", -32600),
    ] {
        let answer = post(&node, body);
        assert_eq!(answer["error"]["code"], code, "{body}: {answer}");
        assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
    }
    let rpc = node.rpc();
    for absent in [
        "eth_nonsense",
        "eth_getProof",
        "eth_getWork",
        "eth_simulateV1",
        "rpc_modules",
        "",
    ] {
        rpc.refused(absent, json!([]), -32601, "Method not found");
    }
    for (method, params, words) in [
        (
            "eth_getBalance",
            json!([]),
            "parameter 1 (address) is missing",
        ),
        (
            "eth_getBalance",
            json!([null]),
            "parameter 1 (address) is missing",
        ),
        ("eth_getBalance", json!(["0x12"]), "parameter 1 (address): "),
        (
            "eth_getBalance",
            json!([format!("0x{}", "00".repeat(20)), "newest"]),
            "parameter 2 (block): ",
        ),
        (
            "eth_getBalance",
            json!({"address": "0x12"}),
            "the parameters must be a JSON list",
        ),
        (
            "eth_chainId",
            json!([1]),
            "too many parameters: got 1, at most 0 are taken",
        ),
        (
            "eth_getBlockByNumber",
            json!(["0x0", "yes"]),
            "parameter 2 (full transactions): ",
        ),
        (
            "eth_getTransactionByHash",
            json!(["0xabcd"]),
            "parameter 1 (transaction hash): ",
        ),
        (
            "eth_feeHistory",
            json!(["0x0", "latest"]),
            "parameter 1 (block count): must be at least 1",
        ),
        (
            "eth_feeHistory",
            json!([1, "latest", [50, 20]]),
            "parameter 3 (reward percentiles): ",
        ),
        ("web3_sha3", json!(["hello"]), "parameter 1 (data): "),
        (
            "cairn_why",
            json!([]),
            "parameter 1 (transaction hash) is missing",
        ),
    ] {
        rpc.refused(method, params, -32602, words);
    }
    assert_eq!(rpc.call("eth_chainId", json!([])), "0x7a69", "it serves on");
}

#[test]
fn http_has_its_own_refusals() {
    let home = home();
    let node = Node::start(home.path(), &["dev", "--rpc-hosts", "node.example"]);
    let status = |verb: &str, headers: &[&str], wanted: &str| {
        let answer = http(node.address(), verb, headers, &chain_id());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {wanted} ")),
            "{answer}"
        );
    };
    status("POST", &[LOCAL, JSON], "200");
    status("POST", &["Host: node.example:8545", JSON], "200");
    status("POST", &["Host: evil.example", JSON], "403");
    status("POST", &[LOCAL, "Content-Type: text/plain"], "415");
    status("PUT", &[LOCAL, JSON], "405");
    status("GET", &[LOCAL], "405");
    // The length alone is enough to be refused: nothing of such a body is read.
    let too_large = format!(
        "POST / HTTP/1.1\r\n{LOCAL}\r\n{JSON}\r\nConnection: close\r\nContent-Length: 5242881\r\n\r\n"
    );
    let answer = exchange(node.address(), &too_large);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    status("POST", &[LOCAL, JSON], "200");
}

#[test]
fn browsers_may_ask_from_the_pages_that_are_allowed() {
    let page = "Origin: https://app.example";
    let preflight = "Access-Control-Request-Method: POST";
    let (open, chosen) = (home(), home());
    let node = Node::start(open.path(), &["dev"]);
    for (verb, headers) in [
        ("OPTIONS", &[LOCAL, page, preflight][..]),
        ("POST", &[LOCAL, JSON, page]),
    ] {
        let answer = http(node.address(), verb, headers, &chain_id()).to_lowercase();
        assert!(answer.starts_with("http/1.1 200 "), "{answer}");
        assert!(
            answer.contains("access-control-allow-origin: *\r\n"),
            "{answer}"
        );
    }

    let node = Node::start(chosen.path(), &["dev", "--rpc-cors", "https://app.example"]);
    let answer = http(node.address(), "POST", &[LOCAL, JSON, page], &chain_id()).to_lowercase();
    assert!(
        answer.contains("access-control-allow-origin: https://app.example\r\n"),
        "{answer}"
    );
    let other = "Origin: https://other.example";
    let answer = http(node.address(), "POST", &[LOCAL, JSON, other], &chain_id());
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let refused = WebSocket::open(node.address(), &[other])
        .err()
        .expect("it is refused");
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    assert!(WebSocket::open(node.address(), &[page]).is_ok());
}

#[test]
fn a_websocket_on_the_same_port_gives_the_same_answers() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let mut socket = WebSocket::open(node.address(), &[]).unwrap();
    for (id, (method, params)) in (1..).zip([
        ("eth_chainId", json!([])),
        ("eth_getBlockByNumber", json!(["latest", true])),
        ("txpool_content", json!([])),
        ("eth_nonsense", json!([])),
        ("eth_getBalance", json!(["0x12"])),
        (
            "eth_call",
            json!([{"to": "0x0000000000000000000000000000000000000004", "data": "0x1234"}]),
        ),
    ]) {
        let question = request(id, method, params);
        assert_eq!(
            socket.ask(&question),
            post(&node, &question.to_string()),
            "{method}"
        );
    }
    let batch =
        Value::from_iter((0..100).map(|id| request(id, "eth_getBlockByNumber", json!(["0x0"]))));
    let answers = socket.ask(&batch);
    assert!(
        answers.to_string().len() > 1 << 16,
        "longer than two bytes can say"
    );
    assert_eq!(answers, post(&node, &batch.to_string()));
    socket.send("{");
    assert_eq!(socket.receive().unwrap()["error"]["code"], -32700);

    // Requests that overtake each other keep their ids.
    let mut other = WebSocket::open(node.address(), &[]).unwrap();
    for id in 0..50 {
        socket.send(&request(id, "eth_getBlockByNumber", json!(["latest", true])).to_string());
        other.send(&request(id, "eth_blockNumber", json!([])).to_string());
    }
    for socket in [&mut socket, &mut other] {
        let mut ids: Vec<_> = (0..50)
            .map(|_| socket.receive().unwrap()["id"].as_u64().unwrap())
            .collect();
        ids.sort_unstable();
        assert!(ids.into_iter().eq(0..50));
    }

    // A node does not wait for those who listen.
    node.stop();
    assert_eq!(socket.receive(), None, "the node hangs up");
}

#[test]
fn a_notification_is_not_answered() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let mut socket = WebSocket::open(node.address(), &[]).unwrap();
    socket.send(&json!({"jsonrpc": "2.0", "method": "eth_chainId"}).to_string());
    let answer = socket.ask(&request(9, "web3_clientVersion", json!([])));
    assert_eq!(answer["id"], 9);
    assert!(text(&answer["result"]).starts_with("cairn/"));
}
