//! The real server, on a real port.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use super::fixture::*;
use crate::rpc::guard::AllowList;
use crate::rpc::{RpcConfig, RpcListener, RpcServer, ServeError};

const ANY_PORT: &str = "127.0.0.1:0";

fn config() -> RpcConfig {
    RpcConfig::new(ANY_PORT.parse().unwrap())
}

async fn serve(config: RpcConfig) -> (Node, RpcServer) {
    let node = Node::start();
    let server = start(config, &node).await.unwrap();
    (node, server)
}

async fn start(config: RpcConfig, node: &Node) -> Result<RpcServer, ServeError> {
    RpcListener::bind(config).await?.serve(node.context.clone())
}

/// Sends raw bytes, reads until the other side closes or `enough` says so.
fn exchange(address: SocketAddr, request: &[u8], enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    read_until(&mut stream, enough)
}

fn read_until(stream: &mut TcpStream, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !enough(&answer) {
        match stream.read(&mut buffer).unwrap() {
            0 => break,
            length => answer.extend_from_slice(&buffer[..length]),
        }
    }
    answer
}

/// One HTTP request with these headers; status line, headers and body as text.
async fn http(address: SocketAddr, verb: &str, headers: &str, body: String) -> String {
    let request = format!(
        "{verb} / HTTP/1.1\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    let answer =
        tokio::task::spawn_blocking(move || exchange(address, request.as_bytes(), |_| false));
    String::from_utf8(answer.await.unwrap()).unwrap()
}

async fn post(address: SocketAddr, body: Value) -> Value {
    let answer = http(address, "POST", "Host: localhost\r\n", body.to_string()).await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
}

fn request(method: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": []})
}

#[tokio::test]
async fn http_answers_requests_and_batches() {
    let (node, server) = serve(config()).await;
    node.mine();
    assert_ne!(server.address().port(), 0);
    let single = post(server.address(), request("eth_blockNumber")).await;
    assert_eq!(single, json!({"jsonrpc": "2.0", "id": 7, "result": "0x1"}));
    let batch = json!([
        request("eth_chainId"),
        request("nonsense"),
        request("eth_blockNumber")
    ]);
    let answers = post(server.address(), batch).await;
    assert_eq!(answers[0]["result"], "0x7a69");
    assert_eq!(answers[1]["error"]["code"], -32601);
    assert_eq!(answers[2]["result"], "0x1");
    server.stop().await;
}

#[tokio::test]
async fn limits_hold() {
    let (_node, server) = serve(config()).await;
    let batch: Vec<_> = (0..1001).map(|_| request("eth_chainId")).collect();
    let answer = post(server.address(), json!(batch)).await;
    assert_eq!(answer["error"]["code"], -32010, "{answer}");
    // The length alone is enough to be refused: nothing of such a body is read.
    let address = server.address();
    let too_long = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
        Content-Type: application/json\r\nContent-Length: 5242881\r\n\r\n";
    let answer =
        tokio::task::spawn_blocking(move || exchange(address, too_long.as_bytes(), |_| false));
    let answer = String::from_utf8(answer.await.unwrap()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn browsers_are_let_in_and_rebound_names_are_not() {
    let (_node, server) = serve(config()).await;
    let chain_id = || request("eth_chainId").to_string();
    let preflight =
        "Host: localhost\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: POST\r\n";
    let answer = http(server.address(), "OPTIONS", preflight, String::new()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        answer
            .to_lowercase()
            .contains("access-control-allow-origin: *"),
        "{answer}"
    );
    let from_page = "Host: 127.0.0.1:8545\r\nOrigin: https://app.example\r\n";
    let answer = http(server.address(), "POST", from_page, chain_id()).await;
    assert!(answer.contains("0x7a69"), "{answer}");
    let rebound = "Host: evil.example\r\nOrigin: https://evil.example\r\n";
    let answer = http(server.address(), "POST", rebound, chain_id()).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn origins_and_hosts_can_be_chosen() {
    let mut config = config();
    config.origins = AllowList::parse("https://app.example");
    config.hosts = AllowList::parse("node.example");
    let (_node, server) = serve(config).await;
    let chain_id = || request("eth_chainId").to_string();
    let ours = "Host: node.example\r\nOrigin: https://app.example\r\n";
    let answer = http(server.address(), "POST", ours, chain_id()).await;
    assert!(
        answer
            .to_lowercase()
            .contains("access-control-allow-origin: https://app.example"),
        "{answer}"
    );
    let other = "Host: node.example\r\nOrigin: https://other.example\r\n";
    let answer = http(server.address(), "POST", other, chain_id()).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

/// The answer to one request over a WebSocket that is opened with these further headers.
async fn over_websocket(address: SocketAddr, headers: &str, message: String) -> Value {
    let upgrade = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    let talk = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(upgrade.as_bytes()).unwrap();
        // A ping may follow the headers at once, and come with them.
        let is_whole = |answer: &[u8]| answer.windows(4).any(|end| end == b"\r\n\r\n");
        let switched = read_until(&mut stream, is_whole);
        assert!(switched.starts_with(b"HTTP/1.1 101"));
        // One text frame with two bytes of length, masked with zeros: its payload stays as it is.
        let length = u16::try_from(message.len()).unwrap().to_be_bytes();
        let mut frame = vec![0x81, 0x80 | 126, length[0], length[1], 0, 0, 0, 0];
        frame.extend_from_slice(message.as_bytes());
        stream.write_all(&frame).unwrap();
        // A few bytes of frame, then JSON; another ping may follow.
        let object = |frames: &[u8]| {
            let start = frames.iter().position(|byte| *byte == b'{')?;
            let mut values = serde_json::Deserializer::from_slice(&frames[start..]).into_iter();
            values.next()?.ok()
        };
        let frames = read_until(&mut stream, |frames| object(frames).is_some());
        object(&frames).unwrap()
    });
    talk.await.unwrap()
}

#[tokio::test]
async fn websockets_share_the_port() {
    let (_node, server) = serve(config()).await;
    let chain_id = request("eth_chainId").to_string();
    let answer = over_websocket(server.address(), "", chain_id).await;
    assert_eq!(answer["result"], "0x7a69");
}

/// What web pages may not call, and how this node, which has neither such a block nor a network,
/// refuses it to programs.
fn levers() -> Vec<(&'static str, Value, &'static str)> {
    let block = json!([alloy_primitives::B256::ZERO]);
    let peer = json!(["/ip4/127.0.0.1/tcp/1"]);
    let network = [
        ("admin_addPeer", peer.clone()),
        ("admin_removePeer", peer.clone()),
        ("cairn_unban", peer.clone()),
        ("cairn_onlyPeers", json!([peer])),
        ("cairn_peerWhy", peer),
        ("admin_nodeInfo", json!([])),
        ("admin_peers", json!([])),
        ("cairn_bans", json!([])),
    ];
    let network = network.map(|(lever, params)| (lever, params, "this node has no network"));
    let blocks = ["cairn_invalidateBlock", "cairn_reconsiderBlock"];
    let blocks = blocks.map(|lever| (lever, block.clone(), "no block 0x"));
    blocks.into_iter().chain(network).collect()
}

/// What a lever says to whoever sends these headers, over HTTP and over a WebSocket.
async fn pull(address: SocketAddr, lever: &str, params: &Value, headers: &str) -> [String; 2] {
    let mut body = request(lever);
    body["params"] = params.clone();
    let over_http = {
        let headers = format!("Host: localhost\r\n{headers}");
        let answer = http(address, "POST", &headers, body.to_string()).await;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
    };
    let over_websocket = over_websocket(address, headers, body.to_string()).await;
    [over_http, over_websocket].map(|answer: Value| {
        assert_eq!(answer["error"]["code"], -32000, "{answer}");
        answer["error"]["message"].as_str().unwrap().to_owned()
    })
}

#[tokio::test]
async fn only_pages_that_are_named_pull_the_operators_levers() {
    let program = "";
    let page = "Origin: https://app.example\r\n";
    let no_origin = "Origin: null\r\n";
    let (_node, open) = serve(config()).await;
    let mut config = config();
    config.origins = AllowList::parse("*,https://app.example");
    let (_other_node, naming) = serve(config).await;
    for (lever, params, words) in levers() {
        for (server, headers) in [(&open, page), (&open, no_origin), (&naming, no_origin)] {
            for refusal in pull(server.address(), lever, &params, headers).await {
                assert!(refusal.contains("not for web pages"), "{refusal}");
            }
        }
        for (server, headers) in [(&open, program), (&naming, program), (&naming, page)] {
            for refusal in pull(server.address(), lever, &params, headers).await {
                assert!(refusal.starts_with(words), "{refusal}");
            }
        }
    }
}

#[tokio::test]
async fn subscriptions_over_http_are_refused() {
    let (_node, server) = serve(config()).await;
    for method in ["eth_subscribe", "eth_unsubscribe"] {
        let answer = post(server.address(), request(method)).await;
        assert_eq!(answer["error"]["code"], -32601, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(
            message.starts_with("notifications not supported"),
            "{message}"
        );
        let batch = json!([request("eth_chainId"), request(method)]);
        let answers = post(server.address(), batch).await;
        assert_eq!(answers[0]["result"], "0x7a69", "{answers}");
        assert_eq!(answers[1], answer, "in a batch as well");
    }
}

#[tokio::test]
async fn websockets_from_other_pages_are_refused() {
    let mut config = config();
    config.origins = AllowList::parse("https://app.example");
    let (_node, server) = serve(config).await;
    let headers = "Host: localhost\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://evil.example\r\n";
    let answer = http(server.address(), "GET", headers, String::new()).await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[tokio::test]
async fn a_taken_port_is_one_sentence() {
    let (node, server) = serve(config()).await;
    let taken = RpcConfig::new(server.address());
    let error = start(taken, &node).await.unwrap_err();
    assert!(matches!(error, ServeError::InUse(address) if address == server.address()));
    assert!(error.to_string().contains("already in use"), "{error}");
    let address = server.address();
    server.stop().await;
    let again = start(RpcConfig::new(address), &node).await;
    again.unwrap().stop().await;
}
