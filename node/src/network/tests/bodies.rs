//! Bodies of a heavier chain.

use super::*;

/// Headers come, and what the machine wants then is what it asks for.
fn begin(bench: &mut Bench, other: &Bench, moves: &[Moved]) -> Vec<Output> {
    bench.now = other.now;
    let id = bench.meet(other);
    bench.hear_headers(id, moves)
}

/// Fetches the chain of `other`, with answers that take so long, and returns when how many
/// bodies were asked for.
fn fetch(bench: &mut Bench, other: &Bench, moves: &[Moved], answer_ms: u64) -> Vec<(u64, usize)> {
    let mut asked = Vec::new();
    let mut under_way: Vec<(u64, RequestId, Request)> = Vec::new();
    let mut outputs = begin(bench, other, moves);
    while bench.tip().hash != other.tip().hash {
        for output in std::mem::take(&mut outputs) {
            match output {
                Output::Request { id, request, .. } => {
                    if let Request::Bodies { blocks } = &request {
                        asked.push((bench.now.ms, blocks.len()));
                    }
                    under_way.push((bench.now.ms + answer_ms, id, request));
                }
                Output::Hello { peer, .. } => {
                    let status = Some(other.identity.status(&other.tip()));
                    outputs.extend(bench.say(Input::Welcome { peer, status }));
                }
                Output::Check(_) => outputs.extend(bench.check(vec![output])),
                Output::Import { blocks, .. } => outputs.extend(bench.import(blocks)),
                _ => {}
            }
        }
        if !outputs.is_empty() {
            continue;
        }
        let (due_ms, id, request) = under_way.remove(0);
        bench.now.ms = due_ms.max(bench.now.ms);
        let pool = PoolMirror::default();
        let response = serve::answer(&*other.store, &pool, &request, None).unwrap();
        outputs = bench.answer(id, response);
    }
    asked
}

/// Blocks without transactions take no time to send: as many are asked for at once as may be,
/// however long the way, and never more requests than the peer answers.
#[test]
fn small_blocks_are_asked_for_by_the_hundred() {
    let mut other = Bench::new();
    let moves = other.mine_many(1_000);
    for answer_ms in [1, 5, 50, 500] {
        let asked = fetch(&mut Bench::new(), &other, &moves, answer_ms);
        let requests = asked.len();
        assert!(requests <= 16, "{requests} requests of {answer_ms} ms");
        let times: Vec<_> = asked.iter().map(|(at_ms, _)| *at_ms).collect();
        let in_a_second = times.iter().map(|from_ms| {
            let second = *from_ms..*from_ms + 1_000;
            times.iter().filter(|ms| second.contains(ms)).count() as u64
        });
        assert!(in_a_second.max() <= Some(limits::REQUESTS_PER_S));
    }
}

/// The relay builds a block whose body sync has asked the same peer for: what comes to sync
/// is sync's, and a wrong body is asked of somebody else.
#[test]
fn what_sync_asked_for_comes_to_sync() {
    let mut other = Bench::new();
    let moves = other.mine_many(1);
    let mut bench = Bench::new();
    let outputs = begin(&mut bench, &other, &moves);
    let (_, id, blocks) = asked_bodies(&outputs).remove(0);
    let news = Announcement::new(
        moves[0].to.header.clone(),
        moves[0].to.seal,
        [B256::repeat_byte(9)].into_iter(),
    );
    bench.say(Input::Gossip {
        peer: PEER,
        id: GossipId(1),
        topic: Topic::Blocks,
        bytes: news.encode(),
    });
    assert_eq!(bench.network.load().building, 1);
    let junk = Bytes::from_static(&[0xc1, 0x01]);
    let outputs = bench.answer(id, Response::Bodies(vec![junk]));
    let outputs = bench.check(outputs);
    let banned = |output: &Output| matches!(output, Output::Ban { peer: PEER, .. });
    assert!(outputs.iter().any(banned), "{outputs:?}");
    let second = Peer(2);
    let outputs = bench.greet(second, &other);
    let (peer, _, again) = asked_bodies(&outputs).remove(0);
    assert_eq!((peer, again), (second, blocks));
}

/// What has come is not withheld, however long the core takes for the block before it.
#[test]
fn a_slow_core_does_not_make_a_branch_withheld() {
    let mut other = Bench::new();
    let moves = other.mine_many(2);
    let mut bench = Bench::new();
    let outputs = begin(&mut bench, &other, &moves);
    let (_, id, blocks) = asked_bodies(&outputs).remove(0);
    assert_eq!(blocks.len(), 2);
    let pool = PoolMirror::default();
    let send = |bench: &mut Bench, id, blocks: Vec<B256>| {
        let request = Request::Bodies { blocks };
        let response = serve::answer(&*other.store, &pool, &request, None).unwrap();
        let outputs = bench.answer(id, response);
        bench.check(outputs)
    };
    let outputs = send(&mut bench, id, blocks[..1].to_vec());
    let imported = |outputs: Vec<Output>| -> Vec<B256> {
        let blocks = outputs.into_iter().filter_map(|output| match output {
            Output::Import { blocks, .. } => Some(blocks),
            _ => None,
        });
        blocks.flatten().map(|block| block.hash()).collect()
    };
    let (_, id, rest) = asked_bodies(&outputs).remove(0);
    assert_eq!(rest, blocks[1..]);
    assert_eq!(imported(outputs), blocks[..1]);
    assert!(imported(send(&mut bench, id, rest)).is_empty());
    bench.now.ms += 10 * 60_000;
    bench.say(Input::Tick);
    let outputs = bench.say(Input::Imported {
        blocks: blocks[..1].to_vec(),
        result: Ok(()),
    });
    assert_eq!(imported(outputs), blocks[1..]);
}

/// Two who are asked for the lowest blocks and keep them do not hold up a third who has them.
#[test]
fn somebody_else_is_asked_for_the_lowest_blocks() {
    let mut other = Bench::new();
    let moves = other.mine_many(2);
    let mut bench = Bench::new();
    let outputs = begin(&mut bench, &other, &moves);
    let (_, _, lowest) = asked_bodies(&outputs).remove(0);
    let asked = |outputs: Vec<Output>| -> Vec<Peer> {
        let asked = asked_bodies(&outputs).into_iter();
        asked.map(|(peer, _, _)| peer).collect()
    };
    let (second, third) = (Peer(2), Peer(3));
    let outputs = bench.greet(second, &other);
    assert_eq!(asked_bodies(&outputs)[0].2, lowest, "nothing else is left");
    let outputs = bench.greet(third, &other);
    assert!(asked(outputs).is_empty(), "two are enough");
    bench.now.ms += limits::MIN_BODIES_TIMEOUT_MS;
    let mut third_asked = Vec::new();
    for _ in 0..4 {
        bench.now.ms += 500;
        third_asked.extend(asked(bench.say(Input::Tick)));
    }
    assert!(third_asked.contains(&third), "{third_asked:?}");
}

/// More than may be held is asked for again once there is room.
#[test]
fn bodies_that_do_not_fit_are_dropped() {
    const LARGE: usize = 8 << 20;
    // The last one goes beyond it.
    let fit = limits::BODY_WINDOW_BYTES / LARGE + 1;
    let mut other = Bench::new();
    let moves = other.mine_many(fit + 2);
    let mut bench = Bench::new();
    let outputs = begin(&mut bench, &other, &moves);
    let (_, id, blocks) = asked_bodies(&outputs).remove(0);
    assert_eq!(blocks.len(), fit + 2);
    let junk = Bytes::from(vec![0; LARGE]);
    let outputs = bench.answer(id, Response::Bodies(vec![junk; fit + 2]));
    let checks = outputs
        .iter()
        .filter(|output| matches!(output, Output::Check(_)));
    assert_eq!(checks.count(), fit);
    assert_eq!(bench.network.load().body_bytes, fit * LARGE);
}

/// A peer that answers at once from what `bench` has.
#[derive(Clone, Copy)]
struct Neighbour<'a> {
    peer: Peer,
    bench: &'a Bench,
    keeps_bodies: bool,
}

/// Lets time pass until the tip is this one, and says how many seconds it took.
fn seconds_until(
    bench: &mut Bench,
    neighbours: &[Neighbour<'_>],
    outputs: &mut Vec<Output>,
    tip: B256,
) -> u64 {
    let has_it = |_: &u64| {
        serve(bench, neighbours, std::mem::take(outputs));
        bench.now.ms += 1_000;
        *outputs = bench.say(Input::Tick);
        bench.tip().hash == tip
    };
    (0..120).find(has_it).expect("it has the chain")
}

/// Does what the machine wants.
fn serve(bench: &mut Bench, neighbours: &[Neighbour<'_>], mut outputs: Vec<Output>) {
    let of = |peer: Peer| neighbours.iter().find(|known| known.peer == peer).unwrap();
    while !outputs.is_empty() {
        for output in std::mem::take(&mut outputs) {
            outputs.extend(match output {
                Output::Hello { peer, .. } => {
                    let other = of(peer).bench;
                    let status = Some(other.identity.status(&other.tip()));
                    bench.say(Input::Welcome { peer, status })
                }
                Output::Request { peer, id, request } => {
                    let (other, pool) = (of(peer), PoolMirror::default());
                    let response = match &request {
                        Request::Bodies { .. } if other.keeps_bodies => {
                            Response::Bodies(Vec::new())
                        }
                        request => {
                            serve::answer(&*other.bench.store, &pool, request, None).unwrap()
                        }
                    };
                    let response = Some(response);
                    bench.say(Input::Response { peer, id, response })
                }
                Output::Check(_) => bench.check(vec![output]),
                Output::Import { blocks, .. } => bench.import(blocks),
                _ => Vec::new(),
            });
        }
    }
}

/// A heavy chain of 30 blocks, and a lighter one.
fn two_chains() -> (Bench, Bench) {
    let (mut heavy, mut light) = (Bench::new(), Bench::new());
    heavy.mine_many(30);
    for _ in 0..20 {
        light.mine(3);
    }
    (heavy, light)
}

/// Those who keep the bodies of a heavy chain do not keep a node from a lighter one that is there,
/// however many they are.
#[test]
fn a_lighter_chain_that_is_there_has_its_turn_soon() {
    let (heavy, light) = two_chains();
    for liars in 1..=4 {
        let mut bench = Bench::new();
        bench.now = heavy.now;
        let mut outputs = Vec::new();
        let mut neighbours = Vec::new();
        for number in 1..=liars {
            neighbours.push(Neighbour {
                peer: Peer(number),
                bench: &heavy,
                keeps_bodies: true,
            });
            outputs.extend(bench.greet(Peer(number), &heavy));
        }
        // Later, so that it has just been asked in vain for bodies of the other when that is left.
        bench.now.ms += 2_000;
        neighbours.push(Neighbour {
            peer: Peer(9),
            bench: &light,
            keeps_bodies: false,
        });
        outputs.extend(bench.greet(Peer(9), &light));
        let tip = light.tip().hash;
        let seconds = seconds_until(&mut bench, &neighbours, &mut outputs, tip);
        assert!((10..17).contains(&seconds), "{liars} liars: {seconds} s");
    }
}

/// A chain whose bodies came from nobody for a while is taken over as soon as somebody has them.
#[test]
fn what_seemed_withheld_is_taken_over_soon() {
    let (heavy, light) = two_chains();
    let mut bench = Bench::new();
    bench.now = heavy.now;
    let [first, second] =
        [(PEER, &heavy, true), (Peer(2), &light, false)].map(|(peer, bench, keeps_bodies)| {
            Neighbour {
                peer,
                bench,
                keeps_bodies,
            }
        });
    let mut outputs = bench.greet(first.peer, first.bench);
    outputs.extend(bench.greet(second.peer, second.bench));
    let tip = light.tip().hash;
    seconds_until(&mut bench, &[first, second], &mut outputs, tip);
    let moved = Neighbour {
        bench: &heavy,
        ..second
    };
    let tip = heavy.tip().hash;
    let seconds = seconds_until(&mut bench, &[first, moved], &mut outputs, tip);
    assert!(seconds <= 15, "{seconds}");
}

/// A chain that nobody sends is not left for long where nothing else is claimed.
#[test]
fn a_chain_that_is_alone_is_waited_for() {
    let (heavy, _) = two_chains();
    let mut bench = Bench::new();
    bench.now = heavy.now;
    let mut alone = Neighbour {
        peer: PEER,
        bench: &heavy,
        keeps_bodies: true,
    };
    let mut outputs = bench.greet(PEER, &heavy);
    for _ in 0..130 {
        serve(&mut bench, &[alone], outputs);
        assert!(bench.network.load().headers > 0, "it stays on its way");
        bench.now.ms += 1_000;
        outputs = bench.say(Input::Tick);
    }
    alone.keeps_bodies = false;
    let tip = heavy.tip().hash;
    let seconds = seconds_until(&mut bench, &[alone], &mut outputs, tip);
    assert!(seconds <= 10, "{seconds}");
}
