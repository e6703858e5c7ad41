//! What is announced to others, and what is not.

use super::*;

fn announced(outputs: &[Output]) -> Option<B256> {
    outputs.iter().find_map(|output| match output {
        Output::Publish {
            topic: Topic::Blocks,
            bytes,
        } => {
            let news = Announcement::decode(bytes).unwrap();
            Some(cairn_genesis::block_hash(&news.header, &news.seal))
        }
        _ => None,
    })
}

/// Somebody shows headers with more work than ours and keeps their bodies: our own blocks are
/// news all the same.
#[test]
fn who_withholds_bodies_does_not_silence_the_node() {
    let mut other = Bench::new();
    let moves = other.mine_many(30);
    let mut bench = Bench::new();
    let id = bench.meet(&other);
    let outputs = bench.hear_headers(id, &moves);
    assert!(!asked_bodies(&outputs).is_empty());
    assert!(bench.network.sync_status().active);
    let moved = bench.mine(1);
    let hash = moved.to.hash;
    assert_eq!(announced(&bench.say(Input::Moved(moved))), Some(hash));
}

/// A tip of long ago comes of catching up.
#[test]
fn old_blocks_are_no_news() {
    let mut bench = Bench::new();
    let moved = bench.mine(1);
    bench.now.ms += (limits::NEWS_S + 2) * 1000;
    assert_eq!(announced(&bench.say(Input::Moved(moved))), None);
}

/// The core may have left a tip, and let it go, before the machine hears of it.
#[test]
fn a_tip_that_is_gone_is_no_news() {
    let moved = Bench::new().mine(1);
    let mut bench = Bench::new();
    bench.now.ms += 1_000;
    assert_eq!(announced(&bench.say(Input::Moved(moved))), None);
}

/// Gossip remembers an announcement that was ignored, so the same bytes reach nobody: all
/// are told by a status.
#[test]
fn a_tip_that_came_too_early_is_told_all_the_same() {
    let mut other = Bench::new();
    let moves = other.mine_many(2);
    let mut bench = Bench::new();
    bench.now = other.now;
    let second = Peer(2);
    for peer in [PEER, second] {
        bench.greet(peer, &Bench::new());
    }
    let outputs = bench.hear_of(&moves[1]);
    let ignored = |output: &Output| {
        let verdict = Verdict::Ignore;
        matches!(output, Output::Verdict { verdict: got, .. } if *got == verdict)
    };
    assert!(outputs.iter().any(ignored), "{outputs:?}");
    let status = Some(bench.identity.status(&bench.tip()));
    for peer in [PEER, second] {
        let status = status.clone();
        bench.say(Input::Welcome { peer, status });
    }
    bench.take(empty(&bench.spec, &moves[0]));
    let moved = bench.take(empty(&bench.spec, &moves[1]));
    let outputs = bench.say(Input::Moved(moved));
    let told = outputs.iter().filter(
        |output| matches!(output, Output::Hello { status, .. } if status.head == moves[1].to.hash),
    );
    assert_eq!(told.count(), 2, "{outputs:?}");
}

/// Far below the tip, blocks are cheap and decide nothing.
#[test]
fn a_block_far_behind_the_tip_is_not_passed_on() {
    let sibling = Bench::new().mine(3);
    for (height, is_checked) in [(9, true), (10, false)] {
        let mut bench = Bench::new();
        let moves = bench.mine_many(height);
        bench.say(Input::Moved(moves[height - 1].clone()));
        bench.greet(PEER, &Bench::new());
        let outputs = bench.hear_of(&sibling);
        let checked = outputs
            .iter()
            .any(|output| matches!(output, Output::Check(_)));
        assert_eq!(checked, is_checked, "{outputs:?}");
    }
}

/// One block can be announced in many wrong ways, which all cost nothing.
#[test]
fn who_announces_a_block_again_and_again_is_banned() {
    let mut bench = Bench::new();
    let moved = bench.mine(2);
    bench.say(Input::Moved(moved.clone()));
    bench.greet(PEER, &Bench::new());
    let mut announce = |number: u64| {
        let ids = [B256::from(U256::from(number))];
        let news = Announcement::new(moved.to.header.clone(), moved.to.seal, ids.into_iter());
        let outputs = bench.say(Input::Gossip {
            peer: PEER,
            id: GossipId(number),
            topic: Topic::Blocks,
            bytes: news.encode(),
        });
        let banned = |output: &Output| matches!(output, Output::Ban { peer: PEER, .. });
        outputs.iter().any(banned)
    };
    assert!(!(0..limits::USELESS_BURST).any(&mut announce));
    assert!((limits::USELESS_BURST..limits::USELESS_BURST + 10).any(announce));
}
