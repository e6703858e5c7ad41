//! Frames that are no messages, statuses that are no good.

use alloy_primitives::{B256, U256};
use cairn_node::network::{Request, Response, Status, Topic};
use futures::future::join_all;

use super::stage::{Offender, Stage, Target};
use super::stranger::{Answer, Habits, Stranger, frame, fresh, nothing};

/// Where the bytes go.
#[derive(Clone, Copy)]
enum Way {
    Hello,
    Ask,
    Gossip(Topic),
    /// The node asks whoever fits what is in its pool.
    Answer(Answer),
}

/// The length of 4 GiB, and nothing behind it.
fn endless() -> Vec<u8> {
    u32::MAX.to_be_bytes().to_vec()
}

/// Bytes that begin no message, and no two alike.
fn noise(length: usize) -> Vec<u8> {
    let mut noise = vec![0xff; length];
    noise[1..9].copy_from_slice(&fresh().to_be_bytes());
    noise
}

/// Each breach, and what the ban says of it.
fn breaches() -> Vec<(Way, Vec<u8>, &'static str)> {
    use Way::{Answer, Ask, Gossip, Hello};
    let many = Request::Bodies {
        blocks: vec![B256::ZERO; 129],
    };
    vec![
        (Hello, frame(vec![0xc1, 0xff]), "does not decode"),
        (Hello, frame(vec![0; 20 << 10]), "at most"),
        (Hello, endless(), "at most"),
        (Ask, frame(vec![0xff]), "unknown kind"),
        (Ask, frame(Vec::new()), "an empty message"),
        (Ask, frame(vec![4, 4]), "1 bytes too many"),
        (Ask, frame(many.encode()), "more than 128 blocks"),
        (Ask, endless(), "at most"),
        (Gossip(Topic::Blocks), noise(100), "does not decode"),
        (
            Gossip(Topic::Transactions),
            noise(100),
            "invalid transaction",
        ),
        (
            Gossip(Topic::Transactions),
            noise(200 << 10),
            "more than 131072 bytes",
        ),
        (
            Answer(|_| Some(frame(vec![0xff]))),
            Vec::new(),
            "unknown kind",
        ),
        (Answer(|_| Some(endless())), Vec::new(), "at most"),
        (Answer(too_long), Vec::new(), "at most"),
    ]
}

/// More than any block.
fn too_long(_: &Request) -> Option<Vec<u8>> {
    Some(frame(vec![0x81; 9 << 20]))
}

/// As many empty bodies as there is room for in a frame, a byte each.
fn endless_list(_: &Request) -> Option<Vec<u8>> {
    const BODIES: [u8; 5] = [0x82, 0xfa, 0x80, 0, 0];
    let items = vec![0x80; 8 << 20];
    Some(frame([&BODIES[..], &items].concat()))
}

/// Some answer with lists like that at the same time.
pub async fn endless_lists(target: Target) -> Vec<Offender> {
    let each = (0..8).map(|_| async {
        let id = offend_by_answer(&target, endless_list).await;
        let words = "more than 128 bodies";
        Offender { id, words }
    });
    join_all(each).await
}

/// Each breach, by a stranger of its own.
pub async fn no_messages(target: Target) -> Vec<Offender> {
    let each = breaches().into_iter().map(|(way, bytes, words)| {
        let target = &target;
        async move {
            let id = offend(target, way, bytes).await;
            Offender { id, words }
        }
    });
    join_all(each).await
}

async fn offend(target: &Target, way: Way, bytes: Vec<u8>) -> String {
    if let Way::Answer(answer) = way {
        return offend_by_answer(target, answer).await;
    }
    let mut stranger = Stranger::settled(target, Habits::default(), nothing).await;
    match way {
        Way::Hello => stranger.say_hello(bytes),
        Way::Ask => stranger.ask(bytes),
        Way::Gossip(topic) => assert!(stranger.gossip(topic, bytes)),
        Way::Answer(_) => {}
    }
    stranger.until_gone().await;
    stranger.id
}

/// Comes again until there was a place for it, so that it was asked something.
async fn offend_by_answer(target: &Target, answer: Answer) -> String {
    loop {
        let claim = |theirs: Status| theirs.encode();
        let mut stranger = Stranger::new(target, Habits::default(), claim, answer);
        stranger.until_gone().await;
        if stranger.asked > 0 {
            return stranger.id;
        }
    }
}

/// Frames that never come to an end are nobody's fault, and hold nothing up.
pub async fn half_frames(target: Target) -> Vec<Offender> {
    let habits = Habits {
        never_ends: true,
        ..Habits::default()
    };
    let mut stranger = Stranger::settled(&target, habits, nothing).await;
    for length in 1..8 {
        let mut begun = frame(vec![0; 100]);
        begun.truncate(length);
        stranger.say_hello(begun.clone());
        stranger.ask(begun);
    }
    stranger.breathe().await;
    Vec::new()
}

/// On another chain: told and left, but no enemy.
pub async fn another_chain(target: Target) -> Vec<Offender> {
    let other = |theirs: Status| {
        let chain_id = theirs.chain_id + 1;
        Status { chain_id, ..theirs }.encode()
    };
    let mut stranger = Stranger::new(&target, Habits::default(), other, nothing);
    stranger.until_gone().await;
    Vec::new()
}

fn boast(theirs: Status) -> Status {
    Status {
        number: theirs.number + 1_000,
        work: theirs.work + (U256::ONE << 100),
        ..theirs
    }
}

/// Claims more work than anybody has, again and again, and has no headers.
pub async fn braggart(target: Target) -> Vec<Offender> {
    let claim = |theirs| boast(theirs).encode();
    let mut stranger = Stranger::new(&target, Habits::default(), claim, nothing);
    stranger
        .until(|stranger| stranger.said.is_some() || stranger.is_gone)
        .await;
    while let Some(said) = stranger.said.clone()
        && !stranger.is_gone
    {
        let asked = stranger.asked;
        stranger.say_hello(frame(said));
        stranger.until(|stranger| stranger.asked > asked).await;
    }
    let id = stranger.id;
    let words = "more work than its headers show";
    // One who found no place has said nothing.
    Vec::from_iter(stranger.said.is_some().then_some(Offender { id, words }))
}

/// Answers each question for headers with some that belong to nothing.
pub async fn wrong_headers(target: Target) -> Vec<Offender> {
    fn answer(request: &Request) -> Option<Vec<u8>> {
        match request {
            // A list of one header of nothing.
            Request::Headers { .. } => Some(frame(vec![0x81, 0xc3, 0xc2, 0xc0, 0xc0])),
            // Of another kind than was asked for.
            _ => Some(frame(Response::Headers(Vec::new()).encode())),
        }
    }
    let claim = |theirs| boast(theirs).encode();
    let mut stranger = Stranger::new(&target, Habits::default(), claim, answer);
    stranger.until_gone().await;
    let (id, words) = (stranger.id, "it sent a message");
    Vec::from_iter(stranger.said.is_some().then_some(Offender { id, words }))
}

#[test]
fn what_is_no_message_ends_in_a_ban() {
    let stage = Stage::new();
    stage.withstands(no_messages);
    stage.withstands(half_frames);
    stage.ends_well();
}

#[test]
fn lists_without_end_take_no_memory() {
    let stage = Stage::new();
    stage.withstands(endless_lists);
    stage.ends_well();
}

#[test]
fn statuses_that_are_no_good() {
    let stage = Stage::new();
    stage.withstands(another_chain);
    assert!(stage.log().contains("its chain id is 31339, ours is 31338"));
    stage.withstands(braggart);
    stage.withstands(wrong_headers);
    stage.ends_well();
}
