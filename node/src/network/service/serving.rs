//! Answers to peers' requests, read from the store on threads that may wait for the disk.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::network::serve::AtHand;
use crate::network::{InboundId, Request, Response, serve};
use crate::rpc::PoolMirror;
use crate::store::{Store, StoreError};

/// Answers that are read or have been read and not yet been sent, up to a block each. More are waiting, as many as
/// the machine lets each peer ask for.
const PLACES: usize = 8;

/// One of them, free once it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

/// An answer, or why there is none; and its place, to be freed once this is sent.
pub(super) type Answer = (InboundId, Result<Response, StoreError>, Place);

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
            let read = tokio::task::spawn_blocking(move || {
                serving.read(id, &request, at_hand.as_ref(), place)
            });
            // The reader has sent what there is.
            let _ = read.await;
        });
    }

    fn read(&self, id: InboundId, request: &Request, at_hand: Option<&AtHand>, place: Place) {
        let answer = serve::answer(&*self.store, &self.pool, request, at_hand);
        if let Err(error) = &answer {
            tracing::debug!(%error, "a peer's request for {} is not answered", request.name());
        }
        // Who does not wait for it any more has ended.
        let _ = self.answers.send((id, answer, place));
    }
}
