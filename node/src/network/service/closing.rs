//! Connections whose end is not waited for for ever.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use tokio::time::Sleep;

/// How long the other end may take to read what is on its way to it. After that it does not hear
/// that the connection ends.
const PATIENCE: Duration = Duration::from_secs(5);

/// A multiplexed connection that ends after a while also where it does not end by itself.
///
/// libp2p waits until everything is flushed. A peer that does not read its socket would keep its
/// connection by that, and its place, after it has been left.
#[derive(Debug)]
pub(super) struct Closing<M> {
    muxer: M,
    patience: Duration,
    /// Since closing began.
    wait: Option<Pin<Box<Sleep>>>,
}

impl<M> Closing<M> {
    pub(super) fn new(muxer: M) -> Self {
        Self {
            muxer,
            patience: PATIENCE,
            wait: None,
        }
    }
}

impl<M: StreamMuxer + Unpin> StreamMuxer for Closing<M> {
    type Substream = M::Substream;
    type Error = M::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        Pin::new(&mut self.muxer).poll_inbound(cx)
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Self::Substream, Self::Error>> {
        Pin::new(&mut self.muxer).poll_outbound(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if let Poll::Ready(closed) = Pin::new(&mut self.muxer).poll_close(cx) {
            return Poll::Ready(closed);
        }
        let patience = self.patience;
        let begin = || Box::pin(tokio::time::sleep(patience));
        let wait = self.wait.get_or_insert_with(begin);
        wait.as_mut().poll(cx).map(Ok)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<StreamMuxerEvent, Self::Error>> {
        Pin::new(&mut self.muxer).poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures::io::Cursor;
    use libp2p::core::muxing::StreamMuxerExt;

    use super::*;

    /// Closes like this, and does nothing else.
    struct Double(Poll<()>);

    impl StreamMuxer for Double {
        type Substream = Cursor<Vec<u8>>;
        type Error = io::Error;

        fn poll_inbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<io::Result<Cursor<Vec<u8>>>> {
            Poll::Pending
        }

        fn poll_outbound(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<io::Result<Cursor<Vec<u8>>>> {
            Poll::Pending
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.0.map(Ok)
        }

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
            Poll::Pending
        }
    }

    async fn is_closed(muxer: Double, patience: Duration) -> bool {
        let closing = Closing {
            patience,
            ..Closing::new(muxer)
        };
        let closed = tokio::time::timeout(Duration::from_millis(500), closing.close()).await;
        matches!(closed, Ok(Ok(())))
    }

    #[tokio::test]
    async fn a_connection_ends_also_where_nobody_reads() {
        let short = Duration::from_millis(1);
        assert!(is_closed(Double(Poll::Pending), short).await);
    }

    #[tokio::test]
    async fn what_is_on_its_way_has_some_time() {
        assert!(is_closed(Double(Poll::Ready(())), PATIENCE).await);
        assert!(!is_closed(Double(Poll::Pending), PATIENCE).await);
    }
}
