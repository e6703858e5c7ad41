//! The threads: they find, exhaust, pause, and never report what was replaced.

#![cfg(test)]

use cairn_miner::{Event, MAX_THREADS, Miner, Options, Share, StartError, Work, scan};
use std::{
    num::NonZeroUsize,
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

/// Nothing meets it.
const IMPOSSIBLE: [u8; 32] = [0; 32];

/// Everything meets it.
const ANY: [u8; 32] = [0xff; 32];

/// Nonces that a thread takes at once, at most.
const CHUNK: u64 = 8_192;

/// Far longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// About one nonce in 2^16.
fn moderate() -> [u8; 32] {
    let mut target = [0xff; 32];
    target[..2].fill(0);
    target
}

fn start(threads: usize, percent: u8) -> (Miner, Receiver<Event>) {
    let (sender, events) = channel();
    let options = Options {
        threads: NonZeroUsize::new(threads).unwrap(),
        share: Share::from_percent(percent).unwrap(),
    };
    // Receivers are gone only when a test is over.
    let on_event = move |event| {
        let _ = sender.send(event);
    };
    let miner = Miner::start(options, on_event).unwrap();
    (miner, events)
}

fn next(events: &Receiver<Event>) -> Event {
    events.recv_timeout(PATIENCE).unwrap()
}

fn bounded(id: u64, target: [u8; 32], last: u32) -> Work {
    Work {
        nonces: 0..=last,
        ..Work::new(id, [9; 80], target)
    }
}

#[test]
fn a_found_nonce_meets_the_target() {
    let (miner, events) = start(3, 100);
    for id in 0..20 {
        let header = [u8::try_from(id).unwrap(); 80];
        miner.set_work(Some(Work::new(id, header, moderate())));
        let Event::Found { work_id, nonce } = next(&events) else {
            panic!("not found")
        };
        assert_eq!(work_id, id);
        assert_eq!(scan(&header, &moderate(), nonce..=nonce), Some(nonce));
    }
}

#[test]
fn one_thread_finds_the_lowest_nonce_across_chunks() {
    let (miner, events) = start(1, 100);
    let header = [0x21; 80];
    miner.set_work(Some(Work::new(1, header, moderate())));
    let nonce = scan(&header, &moderate(), 0..=u32::MAX).unwrap();
    assert_eq!(next(&events), Event::Found { work_id: 1, nonce });
    assert!(
        u64::from(nonce) > CHUNK,
        "the test wants a nonce beyond the first chunk: {nonce}"
    );
}

#[test]
fn every_nonce_is_tried_once_before_work_is_exhausted() {
    for threads in [1, 2, 5] {
        let (miner, events) = start(threads, 100);
        // Not a multiple of any chunk size.
        miner.set_work(Some(bounded(7, IMPOSSIBLE, 100_002)));
        assert_eq!(next(&events), Event::Exhausted { work_id: 7 });
        assert_eq!(miner.hashes(), 100_003);
    }
}

#[test]
fn the_last_possible_nonce_is_tried() {
    let (miner, events) = start(2, 100);
    let nonces = u32::MAX - 10_000..=u32::MAX;
    miner.set_work(Some(Work {
        nonces,
        ..Work::new(1, [9; 80], IMPOSSIBLE)
    }));
    assert_eq!(next(&events), Event::Exhausted { work_id: 1 });
    assert_eq!(miner.hashes(), 10_001);
}

#[test]
fn an_empty_range_is_exhausted_at_once() {
    let (miner, events) = start(1, 100);
    #[expect(
        clippy::reversed_empty_ranges,
        reason = "the empty range is what is tested"
    )]
    let nonces = 1..=0;
    miner.set_work(Some(Work {
        nonces,
        ..Work::new(1, [9; 80], ANY)
    }));
    assert_eq!(next(&events), Event::Exhausted { work_id: 1 });
    assert_eq!(miner.hashes(), 0);
}

#[test]
fn each_work_has_one_event() {
    let (miner, events) = start(4, 100);
    for id in 0..200 {
        miner.set_work(Some(Work::new(id, [9; 80], ANY)));
        assert!(matches!(next(&events), Event::Found { work_id, .. } if work_id == id));
    }
    drop(miner);
    assert_eq!(events.try_iter().count(), 0);
}

#[test]
fn replaced_work_is_never_reported() {
    let (miner, events) = start(4, 100);
    for id in 0..300 {
        miner.set_work(Some(bounded(id, moderate(), 500_000)));
        if id % 3 == 0 {
            thread::sleep(Duration::from_micros(id * 20));
        }
        miner.set_work(Some(Work::new(1_000 + id, [9; 80], IMPOSSIBLE)));
        // Whatever came, came before the replacement: from now on there is silence.
        let before: Vec<Event> = events.try_iter().collect();
        assert!(before.len() <= 1);
        assert!(
            before
                .iter()
                .all(|event| matches!(event, Event::Found { work_id, .. } if *work_id == id))
        );
    }
    thread::sleep(Duration::from_millis(20));
    assert_eq!(events.try_iter().count(), 0);
}

#[test]
fn the_same_id_again_is_new_work() {
    let (miner, events) = start(2, 100);
    miner.set_work(Some(Work::new(5, [9; 80], IMPOSSIBLE)));
    miner.set_work(Some(bounded(5, IMPOSSIBLE, 20_000)));
    assert_eq!(next(&events), Event::Exhausted { work_id: 5 });
}

#[test]
fn without_work_nothing_is_hashed() {
    let (miner, events) = start(2, 100);
    miner.set_work(Some(Work::new(1, [9; 80], IMPOSSIBLE)));
    while miner.hashes() == 0 {
        thread::yield_now();
    }
    miner.set_work(None);
    // Each thread may still have a chunk at hand, but takes no other.
    let most = miner.hashes() + 2 * CHUNK;
    thread::sleep(Duration::from_millis(100));
    assert!(miner.hashes() <= most);
    drop(miner);
    assert_eq!(events.try_iter().count(), 0);
}

#[test]
fn only_work_counts_as_time() {
    let (miner, events) = start(2, 50);
    assert_eq!(miner.worked(), Duration::ZERO);
    miner.set_work(Some(bounded(1, IMPOSSIBLE, 100_000)));
    assert_eq!(next(&events), Event::Exhausted { work_id: 1 });
    let worked = miner.worked();
    assert!(worked > Duration::ZERO);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(miner.worked(), worked, "nobody worked meanwhile");
}

#[test]
fn too_many_threads_are_refused() {
    let options = Options {
        threads: NonZeroUsize::new(MAX_THREADS + 1).unwrap(),
        share: Share::FULL,
    };
    let refused = Miner::start(options, |_| {}).unwrap_err();
    assert!(matches!(refused, StartError::TooMany { got } if got == MAX_THREADS + 1));
}

#[test]
fn a_pause_keeps_the_place() {
    let (miner, events) = start(2, 100);
    miner.pause();
    miner.set_work(Some(bounded(1, IMPOSSIBLE, 1_000_000)));
    thread::sleep(Duration::from_millis(20));
    assert_eq!(miner.hashes(), 0);
    miner.resume();
    while miner.hashes() == 0 {
        thread::yield_now();
    }
    miner.pause();
    thread::sleep(Duration::from_millis(5));
    miner.resume();
    assert_eq!(next(&events), Event::Exhausted { work_id: 1 });
    assert_eq!(miner.hashes(), 1_000_001);
}

#[test]
fn a_small_share_still_finishes_and_stops_at_once() {
    let (miner, events) = start(2, 50);
    miner.set_work(Some(bounded(1, IMPOSSIBLE, 50_000)));
    assert_eq!(next(&events), Event::Exhausted { work_id: 1 });
    assert_eq!(miner.hashes(), 50_001);
    miner.set_work(Some(Work::new(2, [9; 80], IMPOSSIBLE)));
    drop(miner);
    assert_eq!(events.try_iter().count(), 0);
}
