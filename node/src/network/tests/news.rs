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
    bench.now.ms += limits::HELLO_SPACING_MS;
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

fn hellos(outputs: &[Output]) -> usize {
    let hellos = outputs
        .iter()
        .filter(|output| matches!(output, Output::Hello { .. }));
    hellos.count()
}

fn is_banned(outputs: &[Output]) -> bool {
    let banned = |output: &Output| matches!(output, Output::Ban { peer: PEER, .. });
    outputs.iter().any(banned)
}

/// What a peer is asked about an announced block.
fn asked(outputs: &[Output]) -> Option<(RequestId, &Request)> {
    outputs.iter().find_map(|output| match output {
        Output::Request { id, request, .. } => Some((*id, request)),
        _ => None,
    })
}

impl Bench {
    /// A node that is to hear of a block from a peer, and the block.
    fn before_news() -> (Self, Moved) {
        let mut other = Self::new();
        let moved = other.mine(2);
        let mut bench = Self::new();
        bench.now = other.now;
        bench.greet(PEER, &Self::new());
        (bench, moved)
    }

    /// The announcement of an empty block, as if it had transactions.
    fn hear_wrongly_of(&mut self, moved: &Moved, junk: u64) -> Vec<Output> {
        let ids = [B256::from(U256::from(junk))].into_iter();
        let news = Announcement::new(moved.to.header.clone(), moved.to.seal, ids);
        self.say(Input::Gossip {
            peer: PEER,
            id: GossipId(junk),
            topic: Topic::Blocks,
            bytes: news.encode(),
        })
    }
}

/// Who keeps what we lack of a block does not have us ask everybody for it again and again.
#[test]
fn who_does_not_deliver_a_block_is_not_heard_again_about_it() {
    let (mut bench, moved) = Bench::before_news();
    let second = Peer(2);
    bench.greet(second, &Bench::new());
    let status = Some(bench.identity.status(&bench.tip()));
    bench.say(Input::Welcome {
        peer: second,
        status,
    });
    bench.now.ms += limits::HELLO_SPACING_MS;
    let outputs = bench.hear_wrongly_of(&moved, 1);
    let (id, _) = asked(&outputs).unwrap();
    let outputs = bench.answer(id, Response::BlockTransactions(Vec::new()));
    assert_eq!(
        hellos(&outputs),
        1,
        "somebody else may have it: {outputs:?}"
    );
    let outputs = bench.hear_wrongly_of(&moved, 2);
    assert!(asked(&outputs).is_none(), "{outputs:?}");
    // From somebody else it is welcome.
    let news = Announcement::new(moved.to.header.clone(), moved.to.seal, [].into_iter());
    let outputs = bench.say(Input::Gossip {
        peer: second,
        id: GossipId(3),
        topic: Topic::Blocks,
        bytes: news.encode(),
    });
    let checked = |output: &Output| matches!(output, Output::Check(_));
    assert!(outputs.iter().any(checked), "{outputs:?}");
}

/// Wrong short ids would have everybody further on ask for what the block does not have.
#[test]
fn an_announcement_with_wrong_ids_is_not_passed_on() {
    let (mut bench, moved) = Bench::before_news();
    let outputs = bench.hear_wrongly_of(&moved, 1);
    let (id, _) = asked(&outputs).unwrap();
    let junk = Bytes::from_static(&[1]);
    let outputs = bench.answer(id, Response::BlockTransactions(vec![junk]));
    let outputs = bench.check(outputs);
    let (id, request) = asked(&outputs).unwrap();
    assert!(matches!(request, Request::Bodies { .. }), "{request:?}");
    let body = Bytes::from_static(&[0xc0]);
    let outputs = bench.answer(id, Response::Bodies(vec![body]));
    let outputs = bench.check(outputs);
    let verdict = outputs.iter().find_map(|output| match output {
        Output::Verdict { verdict, .. } => Some(*verdict),
        _ => None,
    });
    assert_eq!(verdict, Some(Verdict::Reject), "{outputs:?}");
    assert!(is_banned(&outputs), "{outputs:?}");
    let mut imports = outputs.into_iter().filter_map(|output| match output {
        Output::Import { blocks, .. } => Some(blocks),
        _ => None,
    });
    let blocks = imports.next().expect("the block itself is good");
    let outputs = bench.import(blocks);
    assert_eq!(announced(&outputs), Some(moved.to.hash), "in true words");
}

/// Who hears of a block from us asks us for what it lacks, while our core is still executing it.
#[test]
fn a_block_that_was_passed_on_can_be_asked_for_at_once() {
    let (mut bench, moved) = Bench::before_news();
    let hash = moved.to.hash;
    let outputs = bench.hear_of(&moved);
    let outputs = bench.check(outputs);
    let import = |output: &Output| matches!(output, Output::Import { .. });
    assert!(outputs.iter().any(import), "{outputs:?}");
    let request = Request::Bodies { blocks: vec![hash] };
    let ask = Input::Request {
        peer: PEER,
        id: InboundId(1),
        request: request.clone(),
    };
    let outputs = bench.say(ask);
    let at_hand = outputs.into_iter().find_map(|output| match output {
        Output::Serve { at_hand, .. } => Some(at_hand),
        _ => None,
    });
    let at_hand = at_hand.expect("it is answered");
    let answer = serve::answer(&*bench.store, &bench.pool, &request, at_hand.as_ref());
    let body = Bytes::from_static(&[0xc0]);
    assert_eq!(answer.unwrap(), Response::Bodies(vec![body]));
    bench.take(empty(&bench.spec, &moved));
    bench.say(Input::Imported {
        blocks: vec![hash],
        result: Ok(()),
    });
    let answer = serve::answer(&*bench.store, &bench.pool, &request, None);
    let body = Bytes::from_static(&[0xc0]);
    assert_eq!(answer.unwrap(), Response::Bodies(vec![body]), "the same");
}

/// However often strangers give us reason to: whoever is asked too often bans us.
#[test]
fn nobody_is_asked_too_often_where_it_stands() {
    let mut other = Bench::new();
    let moves = other.mine_many(2);
    let mut bench = Bench::new();
    bench.now = other.now;
    bench.greet(PEER, &Bench::new());
    let mut asked = 0;
    for number in 0..100 {
        let outputs = bench.hear_wrongly_of(&moves[1], number);
        asked += hellos(&outputs);
        let status = Some(bench.identity.status(&bench.tip()));
        bench.say(Input::Welcome { peer: PEER, status });
        bench.now.ms += 20;
        asked += hellos(&bench.say(Input::Tick));
    }
    assert!((3..=4).contains(&asked), "in two seconds: {asked}");
}

/// Who has not said who it is may take the words out of others' mouths: gossip hears nothing twice.
#[test]
fn news_from_nobody_makes_us_ask_the_others() {
    let mut other = Bench::new();
    let moved = other.mine(2);
    let mut bench = Bench::new();
    bench.now = other.now;
    let second = Peer(2);
    bench.greet(second, &Bench::new());
    bench.now.ms += limits::HELLO_SPACING_MS;
    bench.say(Input::Connected { peer: PEER });
    assert_eq!(hellos(&bench.hear_of(&moved)), 1);
}
