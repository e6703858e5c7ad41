//! HTTP and WebSocket by hand, where a test is about their very bytes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// An answer that comes later than this does not come.
const TIMEOUT: Duration = Duration::from_secs(120);

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

/// Frames up to this length say it in the second byte; longer ones in two or eight more.
const SHORT: usize = 125;

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream
}

/// Sends these bytes to `HOST:PORT` and gives all that comes back until the other side hangs up.
pub fn exchange(address: &str, request: &str) -> String {
    let mut stream = connect(address);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// One request with `headers`, a line each; status line, headers and body of the answer.
pub fn http(address: &str, verb: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers
        .iter()
        .map(|header| format!("{header}\r\n"))
        .collect();
    let length = body.len();
    let fixed = format!("Connection: close\r\nContent-Length: {length}\r\n");
    exchange(
        address,
        &format!("{verb} / HTTP/1.1\r\n{fixed}{headers}\r\n{body}"),
    )
}

/// A client's end of a WebSocket (RFC 6455).
pub struct WebSocket {
    stream: TcpStream,
}

impl WebSocket {
    /// Opens one, or gives the answer that refuses it.
    pub fn open(address: &str, headers: &[&str]) -> Result<Self, String> {
        let mut stream = connect(address);
        let headers: String = headers
            .iter()
            .map(|header| format!("{header}\r\n"))
            .collect();
        let request = format!(
            "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        let answer = String::from_utf8(answer).unwrap();
        match answer.starts_with("HTTP/1.1 101") {
            true => Ok(Self { stream }),
            false => Err(answer),
        }
    }

    /// Sends a message in one frame, masked with zeros: it stays as it is.
    pub fn send(&mut self, message: &str) {
        let length = u16::try_from(message.len()).expect("a message of two bytes of length");
        let mut frame = vec![TEXT];
        match message.len() {
            short @ ..=SHORT => frame.push(0x80 | short as u8),
            _ => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(message.as_bytes());
        self.stream.write_all(&frame).unwrap();
    }

    /// The next message; `None` when the other side closes.
    pub fn receive(&mut self) -> Option<Value> {
        loop {
            let (kind, payload) = self.frame()?;
            match kind {
                TEXT => return Some(serde_json::from_slice(&payload).unwrap()),
                PING => {}
                CLOSE => return None,
                other => panic!("a frame that begins with {other:#x}"),
            }
        }
    }

    /// Sends a message and gives the next one that comes.
    pub fn ask(&mut self, message: &Value) -> Value {
        self.send(&message.to_string());
        self.receive().expect("an answer")
    }

    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let [kind, length] = self.bytes()?;
        let length = match length {
            126 => u64::from(u16::from_be_bytes(self.bytes()?)),
            127 => u64::from_be_bytes(self.bytes()?),
            short => u64::from(short),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload).ok()?;
        Some((kind, payload))
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }
}
