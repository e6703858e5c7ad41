//! The way of requests from RPC to the core's thread, bounded from end to end: when all places
//! are taken, whoever asks waits. The core waits for nobody.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;

use super::core_loop::Input;
use crate::rpc::CoreRequest;

/// Requests that have left RPC's queue and are not done with. Trades how soon the miner's nonces
/// and the end, which queue up behind them, are heard against how often the core finds nothing
/// there because this task has not been scheduled.
const PLACES: usize = 64;

/// Hands requests to the core, as many at once as there are places, until one side has gone.
pub(super) async fn forward(mut requests: Receiver<CoreRequest>, inputs: Sender<Input>) {
    let places = Arc::new(Semaphore::new(PLACES));
    while let Some(request) = requests.recv().await {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        if inputs.send(Input::Request { request, place }).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use alloy_primitives::B256;

    use super::*;
    use crate::rpc::CoreHandle;

    /// Lets every task of this test's one thread go as far as it can.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_core_that_takes_nothing_is_sent_no_more_than_there_are_places() {
        const ASKERS: usize = 5_000;
        let (handle, requests) = CoreHandle::channel();
        let (inputs, received) = mpsc::channel();
        tokio::spawn(forward(requests, inputs));
        let ask = |_| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.why(B256::ZERO).await })
        };
        let askers: Vec<_> = (0..ASKERS).map(ask).collect();
        settle().await;
        let mut waiting: Vec<_> = received.try_iter().collect();
        assert_eq!(waiting.len(), PLACES);
        // Each that is done with makes room for one more.
        waiting.truncate(PLACES - 3);
        settle().await;
        assert_eq!(received.try_iter().count(), 3);
        drop((waiting, received));
        for asker in askers {
            assert!(asker.await.unwrap().is_err(), "nobody waits for ever");
        }
    }
}
