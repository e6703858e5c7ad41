//! Too many questions, answers that nobody reads, every place taken.

use alloy_primitives::B256;
use cairn_node::network::Request;
use futures::future::join_all;
use serde_json::json;

use super::node::number;
use super::stage::{Offender, Stage, Target};
use super::stranger::{Habits, Stranger, frame, nothing, silence};
use super::users::{Draft, User};
use super::wait::wait_for;

/// Strangers who come together: as many as the node has places for who call it.
const CROWD: usize = 56;

/// Moments for which they stay.
const MOMENTS: usize = 1_000;

/// Bytes of a block that make it a fat one.
const FAT_BYTES: u64 = 3 << 20;

/// The longest question that the node reads, in bytes.
const LONGEST_QUESTION: usize = 32 << 10;

/// Zeros in each transaction of a fat block, and the gas that they cost (EIP-7623).
const ZEROS: usize = 120_000;
const GAS: u64 = 1_221_000;

/// Fills a block, and gives its hash.
pub fn fat_block(target: &Target) -> B256 {
    let from = target.rpc.height();
    // From the last on: all of a user's can be mined at once when the first has come, so that they do
    // not spread over several blocks where sending takes long.
    for nonce in (0..20).rev() {
        for number in 0..3 {
            let draft = Draft {
                gas_limit: GAS,
                input: vec![0; ZEROS].into(),
                ..Draft::new(target, nonce)
            };
            let payment = User::new(number).sign(&draft);
            let params = json!([payment.envelope()]);
            target.rpc.call("eth_sendRawTransaction", params);
        }
    }
    wait_for("a fat block", || {
        let block = |height| {
            let params = json!([format!("{height:#x}"), false]);
            target.rpc.call("eth_getBlockByNumber", params)
        };
        let mut blocks = (from..=target.rpc.height()).map(block);
        let fat = blocks.find(|block| number(&block["size"]) > FAT_BYTES)?;
        Some(fat["hash"].as_str().unwrap().parse().unwrap())
    })
}

/// Asks more often than it may.
pub async fn too_many_questions(target: Target) -> Vec<Offender> {
    let mut stranger = Stranger::settled(&target, Habits::default(), nothing).await;
    while !stranger.is_gone {
        for _ in 0..16 {
            stranger.ask(frame(Request::Pool.encode()));
        }
        stranger.breathe().await;
    }
    let (id, words) = (stranger.id, "more often than it may");
    vec![Offender { id, words }]
}

/// A crowd in which each does the same, and stays for a while. Those who find no place
/// leave.
async fn crowd(target: &Target, habits: Habits, questions: &[Vec<u8>]) {
    let each = (0..CROWD).map(|_| async {
        let mut stranger = Stranger::settled(target, habits, silence).await;
        for question in questions {
            stranger.ask(question.clone());
        }
        for _ in 0..MOMENTS {
            stranger.breathe().await;
        }
    });
    join_all(each).await;
}

/// Everybody asks for fat blocks, and nobody reads them.
pub async fn never_read(target: Target, fat: B256) -> Vec<Offender> {
    let habits = Habits {
        never_reads: true,
        ..Habits::default()
    };
    let blocks = vec![fat; 128];
    let question = frame(Request::Bodies { blocks }.encode());
    crowd(&target, habits, &vec![question; 16]).await;
    Vec::new()
}

/// Everybody asks the longest questions, and never comes to the end.
pub async fn never_asked(target: Target) -> Vec<Offender> {
    let habits = Habits {
        never_ends: true,
        ..Habits::default()
    };
    let mut question = frame(vec![3; LONGEST_QUESTION]);
    question.pop();
    crowd(&target, habits, &vec![question; 16]).await;
    Vec::new()
}

#[test]
fn too_many_questions_end_in_a_ban() {
    let stage = Stage::new();
    stage.withstands(too_many_questions);
    stage.ends_well();
}

#[test]
fn answers_that_nobody_reads_are_bounded() {
    let stage = Stage::new();
    let fat = fat_block(&stage.target);
    stage.withstands(move |target| never_read(target, fat));
    stage.ends_well();
}

#[test]
fn questions_that_never_end_are_bounded() {
    let stage = Stage::new();
    stage.withstands(never_asked);
    stage.ends_well();
}
