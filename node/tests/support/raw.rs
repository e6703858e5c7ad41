//! A request-response codec that sends bytes as they are, whatever they are: how a stranger
//! speaks libp2p, and not as Cairn does.

use std::future::pending;
use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response;

/// How a stranger behaves on a stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct Habits {
    /// It never reads an answer.
    pub never_reads: bool,
    /// It never ends a question, but keeps the stream.
    pub never_ends: bool,
}

/// Sends bytes as they are, lengths and all.
#[derive(Debug, Clone, Default)]
pub struct Bytes(pub Habits);

impl Bytes {
    async fn write(&self, stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
        stream.write_all(bytes).await?;
        stream.flush().await
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

impl request_response::Codec for Bytes {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
    ) -> io::Result<Vec<u8>> {
        let bytes = read(stream).await?;
        match bytes.len() {
            0..5 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(bytes),
        }
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
    ) -> io::Result<Vec<u8>> {
        match self.0.never_reads {
            true => pending().await,
            false => read(stream).await,
        }
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        self.write(stream, &bytes).await?;
        match self.0.never_ends {
            true => pending().await,
            false => Ok(()),
        }
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        self.write(stream, &bytes).await
    }
}
