//! JSON-RPC reads per second of the real binary, and the memory of an idle node.
//!
//! `cargo bench -p cairn-node --bench rpc`. Starts `cairn dev` in a directory of its own, asks over keep-alive
//! HTTP connections from this process (so client and node share the processors), and prints. `eth_chainId` reads
//! nothing: it shows what the server alone can do. Asserts only that every answer is one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 32;
const BUDGET: Duration = Duration::from_secs(2);
const IDLE: Duration = Duration::from_secs(3);

const ACCOUNT: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

fn main() {
    let home = tempfile::tempdir().expect("a temporary directory");
    let mut node = Node::start(home.path());
    thread::sleep(IDLE);
    println!("idle node: {:.1} MB resident", node.resident_mb());
    println!("{:<28} {:>12}", "read", "per second");
    for (method, params) in [
        ("eth_chainId", "[]".to_owned()),
        ("eth_blockNumber", "[]".to_owned()),
        ("eth_getBalance", format!("[\"{ACCOUNT}\",\"latest\"]")),
        (
            "eth_getTransactionCount",
            format!("[\"{ACCOUNT}\",\"latest\"]"),
        ),
        ("eth_getBlockByNumber", "[\"latest\",false]".to_owned()),
        ("eth_call", format!("[{{\"to\":\"{ACCOUNT}\"}},\"latest\"]")),
    ] {
        let body =
            format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}");
        println!(
            "{method:<28} {:>12.0}",
            reads_per_second(&node.address, &body)
        );
    }
    println!("after the load: {:.1} MB resident", node.resident_mb());
    node.process.kill().expect("the node runs");
    node.process.wait().expect("the node was started here");
}

struct Node {
    process: Child,
    address: String,
}

impl Node {
    fn start(data: &std::path::Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_cairn"))
            .args([
                "dev",
                "--rpc",
                "127.0.0.1:0",
                "--log-format",
                "json",
                "--datadir",
            ])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the node was built with this benchmark");
        let output = BufReader::new(process.stdout.take().expect("stdout is a pipe"));
        let mut lines = output.lines().map_while(Result::ok);
        let address = lines.find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line).ok()?;
            (line["message"] == "started").then(|| line["rpc"].as_str().map(str::to_owned))?
        });
        thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            address: address.expect("a line says where the node serves"),
        }
    }

    /// Megabytes of memory that the process occupies.
    fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("the node runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.expect("Linux tells the resident size") / 1024.0
    }
}

fn reads_per_second(address: &str, body: &str) -> f64 {
    let (stop, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut connection = Connection::open(address, body);
                while !stop.load(Ordering::Relaxed) {
                    connection.ask();
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(BUDGET);
        stop.store(true, Ordering::Relaxed);
    });
    answers.into_inner() as f64 / start.elapsed().as_secs_f64()
}

/// A connection that asks the same again and again.
struct Connection {
    stream: BufReader<TcpStream>,
    request: Vec<u8>,
    line: String,
    answer: Vec<u8>,
}

impl Connection {
    fn open(address: &str, body: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the node listens");
        stream.set_nodelay(true).expect("a TCP socket");
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        Self {
            stream: BufReader::new(stream),
            request: request.into_bytes(),
            line: String::new(),
            answer: Vec::new(),
        }
    }

    fn ask(&mut self) {
        self.stream
            .get_mut()
            .write_all(&self.request)
            .expect("the node reads");
        let mut length = 0;
        loop {
            self.line.clear();
            self.stream
                .read_line(&mut self.line)
                .expect("the node answers");
            let line = self.line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        self.answer.resize(length, 0);
        self.stream
            .read_exact(&mut self.answer)
            .expect("the whole answer");
        let result = self.answer.windows(9).any(|part| part == b"\"result\":");
        assert!(result, "{}", String::from_utf8_lossy(&self.answer));
    }
}
