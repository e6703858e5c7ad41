//! Ten times what the pool holds, and invalid ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::Bytes;
use cairn_genesis::Transaction;
use cairn_node::network::Topic;
use futures::future::join_all;
use serde_json::json;

use super::node::number;
use super::stage::{Offender, Stage, Target};
use super::stranger::{Habits, Stranger, fresh, nothing};
use super::users::{Draft, FUNDED, User};

/// What the pool takes, and of one sender.
const POOL: u64 = 10_240;
const PER_SENDER: u64 = 64;

/// Transactions in all: what the pool takes ten times.
const MANY: u64 = 10 * POOL;

/// Strangers who share them.
const STRANGERS: usize = 8;

/// Transactions of one who does not come to an end: twice what libp2p could remember within the
/// bound on memory.
const ENDLESS: usize = 600_000;

/// Moments in which one who is thrown out hears of it.
const MOMENTS: usize = 100;

/// Valid signatures all: of accounts with coins as many as the pool takes, and of one without.
pub fn many(target: &Target) -> Vec<Bytes> {
    let funded = (0..FUNDED).flat_map(|number| {
        let user = User::new(number);
        (0..PER_SENDER).map(move |nonce| (user.clone(), nonce))
    });
    let poor = User::new(1_000_000);
    let without = (0..).map(|nonce| (poor.clone(), nonce));
    let all = funded.chain(without).take(MANY as usize);
    let signed = all.map(|(user, nonce)| user.sign(&Draft::new(target, nonce)));
    signed
        .map(|transaction| transaction.envelope().clone())
        .collect()
}

/// All of them, by some strangers, as fast as the line takes them. Nobody is to blame: pools
/// differ.
pub async fn flood(target: Target, all: Arc<Vec<Bytes>>) -> Vec<Offender> {
    let each = (0..STRANGERS).map(|number| {
        let share = all.iter().skip(number).step_by(STRANGERS);
        let share: Vec<_> = share.map(|envelope| envelope.to_vec()).collect();
        let target = &target;
        async move {
            let mut stranger = Stranger::settled(target, Habits::default(), nothing).await;
            stranger.flood(Topic::Transactions, share).await;
            assert!(!stranger.is_gone, "a flood of transactions is no fault");
        }
    });
    join_all(each).await;
    Vec::new()
}

/// Signed by nobody, or for another chain.
pub async fn invalid(target: Target) -> Vec<Offender> {
    let user = User::new(0);
    let draft = Draft::new(&target, fresh());
    let elsewhere = user.sign(&Draft {
        chain_id: draft.chain_id + 1,
        ..draft.clone()
    });
    let mut forged = user.sign(&draft).envelope().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let each = [elsewhere.envelope().to_vec(), forged].map(|envelope| {
        let target = &target;
        async move {
            assert!(
                Transaction::decode(&envelope).is_ok(),
                "only its signature is bad"
            );
            let mut stranger = Stranger::settled(target, Habits::default(), nothing).await;
            stranger.gossip(Topic::Transactions, envelope);
            stranger.until_gone().await;
            let (id, words) = (stranger.id, "invalid transaction");
            Offender { id, words }
        }
    });
    join_all(each).await
}

/// Signed well, one after the other, and none that a pool would take. Whoever is quick enough to fill
/// the memory by that is banned before.
pub async fn endless(target: Target) -> Vec<Offender> {
    let poor = User::new(1_000_000);
    let mut stranger = Stranger::settled(&target, Habits::default(), nothing).await;
    let draft = || Draft::new(&target, PER_SENDER + fresh());
    let all = std::iter::repeat_with(|| poor.sign(&draft()).envelope().to_vec());
    let began = Instant::now();
    stranger.flood(Topic::Transactions, all.take(ENDLESS)).await;
    for _ in 0..MOMENTS {
        stranger.breathe().await;
    }
    // On a slow machine the rest has been forgotten by then.
    let was_quick = began.elapsed() < Duration::from_secs(60);
    assert!(stranger.is_gone || !was_quick, "so many are too many");
    let (id, words) = (stranger.id, "more than is of any use");
    let offender = stranger.is_gone.then_some(Offender { id, words });
    offender.into_iter().collect()
}

#[test]
fn talk_without_end_is_bounded() {
    let stage = Stage::new();
    stage.withstands(endless);
    stage.ends_well();
}

#[test]
fn ten_times_what_the_pool_holds() {
    let stage = Stage::new();
    let all = Arc::new(many(&stage.target));
    stage.withstands(move |target| flood(target, Arc::clone(&all)));
    let pool = stage.target.rpc.call("txpool_status", json!([]));
    let (pending, queued) = (number(&pool["pending"]), number(&pool["queued"]));
    assert!(pending + queued <= POOL, "{pool}");
    stage.ends_well();
}

#[test]
fn invalid_transactions_end_in_bans() {
    let stage = Stage::new();
    stage.withstands(invalid);
    stage.ends_well();
}
