//! Junk blocks, and blocks whose transactions are withheld.

use alloy_primitives::{B256, U256};
use cairn_genesis::{Header, Seal, Target as PowTarget, block_hash};
use cairn_node::network::{Announcement, Topic};
use futures::future::join_all;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::stage::{Offender, Stage, Target};
use super::stranger::{Habits, Stranger, fresh, nothing, silence};

/// Strangers who come one after the other.
const STRANGERS: usize = 16;

/// What each has ready: it is thrown out long before the end.
const MESSAGES: usize = 500;

/// The longest of it, in bytes.
const LONGEST: usize = 100_000;

/// Moments for which one waits for a block.
const MOMENTS: usize = 10_000;

/// Announcements of one stranger that come to nothing.
const IN_VAIN: usize = 6;

fn noise(seed: u64) -> impl Iterator<Item = Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..MESSAGES).map(move |_| {
        let mut bytes = vec![0; rng.random_range(1..LONGEST)];
        rng.fill_bytes(&mut bytes);
        bytes
    })
}

/// Random bytes where blocks are announced, as fast as the line takes them.
pub async fn random_bytes(target: Target) -> Vec<Offender> {
    let mut offenders = Vec::new();
    for _ in 0..STRANGERS {
        let mut stranger = Stranger::settled(&target, Habits::default(), nothing).await;
        stranger.flood(Topic::Blocks, noise(fresh())).await;
        stranger.until_gone().await;
        offenders.push(Offender {
            id: stranger.id,
            words: "it sent a message",
        });
    }
    offenders
}

/// The last block that was announced, if a stranger hears of one within a while: the node
/// may have too much to say to everybody.
async fn news(stranger: &mut Stranger) -> Option<Announcement> {
    for _ in 0..MOMENTS {
        if stranger.news.is_some() {
            break;
        }
        stranger.breathe().await;
    }
    let bytes = stranger.news.as_ref()?;
    Some(Announcement::decode(bytes).expect("the node speaks well"))
}

/// Announcements like those of real blocks, without their work.
pub async fn no_work(target: Target) -> Vec<Offender> {
    let mut stranger = Stranger::settled(&target, Habits::default(), nothing).await;
    let Some(news) = news(&mut stranger).await else {
        return Vec::new();
    };
    let forged = (0..MESSAGES).map(|_| {
        let mut forged = news.clone();
        forged.header.gas_used ^= fresh();
        forged.encode()
    });
    stranger.flood(Topic::Blocks, forged).await;
    stranger.until_gone().await;
    let (id, words) = (stranger.id, "invalid header");
    vec![Offender { id, words }]
}

/// Finds a seal.
fn seal(header: &Header, like: Seal) -> Seal {
    let target = PowTarget::from_bits(header.bits).unwrap();
    let mut seal = like;
    while !target.is_met_by(block_hash(header, &seal)) {
        seal.nonce = seal.nonce.wrapping_add(1);
    }
    seal
}

/// Blocks with all the work that they need, whose transactions nobody gets; and some that
/// follow nothing.
pub async fn withheld(target: Target) -> Vec<Offender> {
    let mut stranger = Stranger::settled(&target, Habits::default(), silence).await;
    let Some(news) = news(&mut stranger).await else {
        return Vec::new();
    };
    for number in 0..IN_VAIN as u64 {
        let mut block = news.clone();
        block.header.transactions_root = B256::from(U256::from(fresh()));
        if number % 2 == 1 {
            block.header.parent_hash = B256::repeat_byte(7);
        }
        let header = block.header.clone();
        let like = block.seal;
        block.seal = tokio::task::spawn_blocking(move || seal(&header, like))
            .await
            .unwrap();
        block.short_ids = vec![[number as u8; 5]; 2_000];
        stranger.gossip(Topic::Blocks, block.encode());
        stranger.breathe().await;
    }
    assert!(
        !stranger.is_gone,
        "nobody is blamed for what may be a bad line"
    );
    Vec::new()
}

#[test]
fn junk_at_line_rate_ends_in_bans() {
    let stage = Stage::new();
    stage.withstands(|target| async move {
        let (noise, forged) = (random_bytes(target.clone()), no_work(target));
        let both = futures::future::join(noise, forged).await;
        assert!(
            !both.1.is_empty(),
            "here the node has time to tell of its blocks"
        );
        [both.0, both.1].concat()
    });
    stage.ends_well();
}

#[test]
fn withheld_transactions_hold_nothing_up() {
    let stage = Stage::new();
    stage.withstands(|target| async move {
        let all = join_all((0..4).map(|_| withheld(target.clone()))).await;
        all.concat()
    });
    stage.ends_well();
}
