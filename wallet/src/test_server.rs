//! A scripted HTTP server on this machine, for tests only: it answers JSON-RPC as a closure says.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
};

use serde_json::{Value, json};

/// What the server says to one request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A result.
    Result(Value),
    /// A JSON-RPC error: code and message.
    Error(i64, String),
    /// A JSON-RPC error as it is: code, message and data.
    Refusal(Value),
    /// An HTTP status and body as they are.
    Raw(u16, String),
}

/// The server. Its thread ends with the test process.
#[derive(Debug)]
pub(crate) struct TestServer {
    address: SocketAddr,
}

impl TestServer {
    /// Starts a server that asks `script` about every request of every connection.
    pub(crate) fn start(script: impl Fn(&Value) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up is no failure of the server.
                let _ = serve(stream, &script);
            }
        });
        Self { address }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves one request and closes, so that no connection keeps another waiting.
fn serve(stream: TcpStream, script: &impl Fn(&Value) -> Reply) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, text) = match serde_json::from_slice(&body) {
        Ok(request) => answer_all(&request, script),
        Err(_) => (400, String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    (&stream).write_all(head.as_bytes())?;
    (&stream).write_all(text.as_bytes())
}

/// Status and body for a request or a batch, whose answers come in reverse.
fn answer_all(request: &Value, script: &impl Fn(&Value) -> Reply) -> (u16, String) {
    let requests = match request {
        Value::Array(requests) => requests.iter().collect(),
        one => vec![one],
    };
    let mut answers = Vec::new();
    for request in requests.into_iter().rev() {
        match script(request) {
            Reply::Raw(status, text) => return (status, text),
            reply => answers.push(answer(request, reply)),
        }
    }
    let body = if request.is_array() {
        Value::Array(answers)
    } else {
        answers.remove(0)
    };
    (200, body.to_string())
}

fn answer(request: &Value, reply: Reply) -> Value {
    let id = &request["id"];
    let (key, value) = match reply {
        Reply::Result(result) => ("result", result),
        Reply::Error(code, message) => ("error", json!({"code": code, "message": message})),
        Reply::Refusal(error) => ("error", error),
        Reply::Raw(_, text) => ("result", Value::String(text)),
    };
    json!({"jsonrpc": "2.0", "id": id, key: value})
}
