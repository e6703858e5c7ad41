//! Answers to peers' requests, read from the store on threads that may wait for the disk.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

use crate::network::serve::AtHand;
use crate::network::{InboundId, Request, Response, serve};
use crate::rpc::PoolMirror;
use crate::store::{Store, StoreError};

/// Answers that are read or have been read and not yet been sent, up to a block each. More are waiting, as many as
/// the machine lets each peer ask for.
const PLACES: usize = 8;

/// One of them, free once it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

/// An answer, why there is none, or the panic of its reader.
pub(super) type Read = Result<Result<Response, StoreError>, JoinError>;

/// What was read, and its place, to be freed once this is sent.
pub(super) type Answer = (InboundId, Read, Place);

/// Whatever reads answers.
#[derive(Clone)]
pub(super) struct Serving {
    store: Arc<dyn Store>,
    pool: Arc<PoolMirror>,
    places: Arc<Semaphore>,
    answers: UnboundedSender<Answer>,
}

impl Serving {
    pub(super) fn new(
        store: Arc<dyn Store>,
        pool: Arc<PoolMirror>,
        answers: UnboundedSender<Answer>,
    ) -> Self {
        Self {
            store,
            pool,
            places: Arc::new(Semaphore::new(PLACES)),
            answers,
        }
    }

    /// Begins to read an answer.
    pub(super) fn begin(&self, id: InboundId, request: Request, at_hand: Option<AtHand>) {
        let serving = self.clone();
        tokio::spawn(async move {
            let places = Arc::clone(&serving.places);
            let Ok(place) = places.acquire_owned().await else {
                return;
            };
            let answers = serving.answers.clone();
            let read =
                tokio::task::spawn_blocking(move || serving.read(&request, at_hand.as_ref())).await;
            // Who does not wait for it any more has ended.
            let _ = answers.send((id, read, place));
        });
    }

    fn read(&self, request: &Request, at_hand: Option<&AtHand>) -> Result<Response, StoreError> {
        let answer = serve::answer(&*self.store, &self.pool, request, at_hand);
        if let Err(error) = &answer {
            tracing::debug!(%error, "a peer's request for {} is not answered", request.name());
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::store::{Batch, Column, Cursor, Durability, Reader};

    /// A store with a bug.
    struct Broken;

    impl Reader for Broken {
        fn get(&self, _: Column, _: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
            panic!("a bug, for the test")
        }

        fn cursor<'a>(&'a self, _: Column) -> Box<dyn Cursor + 'a> {
            panic!("a bug, for the test")
        }
    }

    impl Store for Broken {
        fn write(&self, _: Batch, _: Durability) -> Result<(), StoreError> {
            panic!("a bug, for the test")
        }

        fn snapshot(&self) -> Box<dyn Reader + '_> {
            panic!("a bug, for the test")
        }
    }

    #[tokio::test]
    async fn a_bug_of_the_reader_is_handed_on() {
        let (answers, mut received) = mpsc::unbounded_channel();
        let pool = Arc::new(PoolMirror::default());
        let serving = Serving::new(Arc::new(Broken), pool, answers);
        let locator = Vec::new();
        serving.begin(InboundId(7), Request::Headers { locator }, None);
        let (id, read, _) = received.recv().await.unwrap();
        assert_eq!(id, InboundId(7));
        assert!(read.is_err_and(|error| error.is_panic()));
    }
}
