//! Almost all attacks at once, on one node. Who asks too often is not among them: where nobody
//! reads, it may be left for that before it is banned.

use std::sync::Arc;

use futures::future::join_all;

use super::stage::Stage;
use super::{blocks, floods, frames, sockets, transactions};

#[test]
fn all_at_once() {
    let stage = Stage::new();
    let fat = floods::fat_block(&stage.target);
    let many = Arc::new(transactions::many(&stage.target));
    stage.withstands(move |target| {
        let many = Arc::clone(&many);
        let at = || target.clone();
        let attacks = [
            tokio::spawn(sockets::garbage(at())),
            tokio::spawn(sockets::opened_and_closed(at())),
            tokio::spawn(frames::no_messages(at())),
            tokio::spawn(frames::half_frames(at())),
            tokio::spawn(frames::another_chain(at())),
            tokio::spawn(frames::braggart(at())),
            tokio::spawn(frames::wrong_headers(at())),
            tokio::spawn(floods::never_read(at(), fat)),
            tokio::spawn(blocks::random_bytes(at())),
            tokio::spawn(blocks::no_work(at())),
            tokio::spawn(blocks::withheld(at())),
            tokio::spawn(transactions::flood(at(), many)),
            tokio::spawn(transactions::invalid(at())),
        ];
        async move {
            let all = join_all(attacks).await;
            let offenders = all.into_iter().map(|attack| attack.unwrap());
            offenders.flatten().collect()
        }
    });
    stage.ends_well();
}
