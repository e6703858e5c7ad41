//! Frames: four bytes of length, big-endian, then one message.
//!
//! The length is checked before anything is kept, and memory grows only with what arrives.
//! What is no message is handed on as a [`Fault`]: libp2p would keep an error to itself.

use std::io;
use std::marker::PhantomData;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response;

use crate::network::message::MessageError;
use crate::network::{Fault, Request, Response, Status};

/// What is kept for a frame before any of it has arrived.
const FIRST_BYTES: usize = 4 << 10;

/// A message that travels in a frame.
pub(super) trait Message: Sized + Send + 'static {
    fn encode(&self) -> Vec<u8>;
    fn decode(bytes: &[u8]) -> Result<Self, MessageError>;
}

macro_rules! message {
    ($($kind:ty),*) => {$(
        impl Message for $kind {
            fn encode(&self) -> Vec<u8> {
                <$kind>::encode(self)
            }

            fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
                <$kind>::decode(bytes)
            }
        }
    )*};
}

message!(Status, Request, Response);

/// A message, or what came in place of one. Only messages are sent.
pub(super) type Received<T> = Result<T, Fault>;

/// How questions `Q` and answers `A` travel.
#[derive(Debug)]
pub(super) struct Codec<Q, A> {
    max_question_bytes: usize,
    max_answer_bytes: usize,
    kinds: PhantomData<fn() -> (Q, A)>,
}

impl<Q, A> Codec<Q, A> {
    pub(super) fn new(max_question_bytes: usize, max_answer_bytes: usize) -> Self {
        Self {
            max_question_bytes,
            max_answer_bytes,
            kinds: PhantomData,
        }
    }
}

impl<Q, A> Clone for Codec<Q, A> {
    fn clone(&self) -> Self {
        Self::new(self.max_question_bytes, self.max_answer_bytes)
    }
}

impl<Q: Message, A: Message> request_response::Codec for Codec<Q, A> {
    type Protocol = StreamProtocol;
    type Request = Received<Q>;
    type Response = Received<A>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
    ) -> io::Result<Received<Q>> {
        read(stream, self.max_question_bytes).await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
    ) -> io::Result<Received<A>> {
        read(stream, self.max_answer_bytes).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
        question: Received<Q>,
    ) -> io::Result<()> {
        write(stream, question).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        stream: &mut T,
        answer: Received<A>,
    ) -> io::Result<()> {
        write(stream, answer).await
    }
}

/// Reads one frame. A stream that ends early is an error, not a fault: connections break.
async fn read<M: Message>(
    stream: &mut (impl AsyncRead + Unpin),
    max_bytes: usize,
) -> io::Result<Received<M>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    let length = u32::from_be_bytes(length);
    let wanted = usize::try_from(length).unwrap_or(usize::MAX);
    if wanted > max_bytes {
        let sentence = format!("a length of {length} bytes, at most {max_bytes} are allowed");
        return Ok(Err(Fault::Frame(sentence)));
    }
    let mut bytes = Vec::with_capacity(wanted.min(FIRST_BYTES));
    stream
        .take(u64::from(length))
        .read_to_end(&mut bytes)
        .await?;
    if bytes.len() < wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(M::decode(&bytes).map_err(Fault::Message))
}

async fn write<M: Message>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: Received<M>,
) -> io::Result<()> {
    let bytes = message.map_err(io::Error::other)?.encode();
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&bytes).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    const MAX: usize = 1_000;

    fn received(bytes: &[u8]) -> io::Result<Received<Request>> {
        block_on(read(&mut Cursor::new(bytes), MAX))
    }

    fn frame(message: Request) -> Vec<u8> {
        let mut stream = Cursor::new(Vec::new());
        block_on(write(&mut stream, Ok(message))).unwrap();
        stream.into_inner()
    }

    #[test]
    fn a_message_comes_as_it_went() {
        let bytes = frame(Request::Pool);
        assert_eq!(bytes, [0, 0, 0, 1, 4]);
        assert_eq!(received(&bytes).unwrap(), Ok(Request::Pool));
    }

    #[test]
    fn a_frame_that_is_too_long_is_a_fault_before_any_of_it_is_read() {
        for length in [MAX as u32 + 1, u32::MAX] {
            let fault = received(&length.to_be_bytes()).unwrap().unwrap_err();
            assert!(matches!(fault, Fault::Frame(_)), "{fault:?}");
        }
    }

    #[test]
    fn what_is_no_message_is_a_fault() {
        for body in [&[0xff_u8][..], &[], &[4, 4]] {
            let mut bytes = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
            bytes.extend(body);
            let fault = received(&bytes).unwrap().unwrap_err();
            assert!(matches!(fault, Fault::Message(_)), "{fault:?}");
        }
    }

    #[test]
    fn a_stream_that_ends_early_is_nobodys_fault() {
        let bytes = frame(Request::Transactions {
            hashes: vec![alloy_primitives::B256::ZERO],
        });
        for end in 0..bytes.len() {
            assert!(received(&bytes[..end]).is_err(), "{end}");
        }
    }
}
