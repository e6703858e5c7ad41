//! What peers claim, and what it is worth.

use super::*;

/// Who is asked for headers.
fn asked_headers(outputs: &[Output]) -> Option<Peer> {
    outputs.iter().find_map(|output| match output {
        Output::Request {
            peer,
            request: Request::Headers { .. },
            ..
        } => Some(*peer),
        _ => None,
    })
}

/// Of two who claim more than we have, the one that has let us wait comes last, whatever
/// it claims.
#[test]
fn who_lets_us_wait_is_asked_last() {
    let mut other = Bench::new();
    other.mine_many(3);
    let mut bench = Bench::new();
    bench.meet(&other);
    let mut braggart = bench.identity.status(&other.tip());
    braggart.work = U256::MAX;
    let status = Some(braggart);
    bench.say(Input::Welcome { peer: PEER, status });
    bench.now.ms += limits::ANSWER_TIMEOUT_MS + 1;
    bench.say(Input::Tick);
    let honest = Peer(2);
    bench.greet(honest, &Bench::new());
    // Both may be asked again when the honest one has something to show.
    bench.now.ms += limits::ANSWER_TIMEOUT_MS;
    let (id, status) = (InboundId(1), other.identity.status(&other.tip()));
    let outputs = bench.say(Input::Hello {
        peer: honest,
        id,
        status,
    });
    assert_eq!(asked_headers(&outputs), Some(honest));
}

/// One that sent less than it could has sent all that it has.
#[test]
fn a_claim_is_worth_what_was_shown() {
    let mut other = Bench::new();
    let moves = other.mine_many(3);
    let mut bench = Bench::new();
    bench.now = other.now;
    bench.say(Input::Connected { peer: PEER });
    let mut status = other.identity.status(&other.tip());
    status.work = U256::MAX;
    let status = Some(status);
    bench.say(Input::Welcome { peer: PEER, status });
    let outputs = bench.hear_headers(RequestId(1), &moves);
    assert_eq!(asked_bodies(&outputs).len(), 1, "{outputs:?}");
    let view = &bench.network.peers(bench.now)[0];
    assert_eq!(view.work, other.tip().work);
    assert_eq!(view.points, Fault::Claim.points());
}

/// One that sends a header now and then comes after those who are prompt, whatever it claims.
#[test]
fn who_answers_slowly_is_asked_last() {
    let mut other = Bench::new();
    let moves = other.mine_many(3);
    let mut bench = Bench::new();
    bench.now = other.now;
    let id = bench.meet(&other);
    let prompt = Peer(2);
    bench.greet(prompt, &other);
    let mut status = other.identity.status(&other.tip());
    status.work = U256::MAX;
    bench.say(Input::Hello {
        peer: PEER,
        id: InboundId(1),
        status,
    });
    bench.now.ms += limits::ANSWER_TIMEOUT_MS - 1;
    let outputs = bench.hear_headers(id, &moves[..1]);
    assert_eq!(asked_headers(&outputs), Some(prompt), "{outputs:?}");
}

/// An answer that says no at once is no stall.
#[test]
fn a_busy_peer_is_not_a_silent_one() {
    let mut other = Bench::new();
    other.mine_many(3);
    let mut bench = Bench::new();
    let mut id = bench.meet(&other);
    for _ in 0..2 * limits::MAX_STALLS {
        let peer = PEER;
        let response = None;
        let outputs = bench.say(Input::Response { peer, id, response });
        assert!(outputs.is_empty(), "{outputs:?}");
        bench.now.ms += 5_000;
        let outputs = bench.say(Input::Tick);
        id = outputs
            .iter()
            .find_map(|output| match output {
                Output::Request { id, .. } => Some(*id),
                _ => None,
            })
            .expect("it is asked again");
    }
}

fn points(bench: &Bench, peer: Peer) -> u32 {
    let views = bench.network.peers(bench.now);
    let view = views.iter().find(|view| view.peer == peer);
    view.expect("it is connected").points
}

/// Else it could show us, page by page, all that we have.
#[test]
fn headers_follow_the_highest_that_both_know() {
    let mut bench = Bench::new();
    let moves = bench.mine_many(30);
    bench.say(Input::Moved(moves[29].clone()));
    bench.say(Input::Connected { peer: PEER });
    let mut status = bench.identity.status(&bench.tip());
    status.work = U256::MAX;
    let outputs = bench.say(Input::Welcome {
        peer: PEER,
        status: Some(status),
    });
    let asked = outputs.iter().find_map(|output| match output {
        Output::Request { id, request, .. } => {
            matches!(request, Request::Headers { .. }).then_some(*id)
        }
        _ => None,
    });
    bench.hear_headers(asked.expect("headers are asked for"), &moves);
    assert_eq!(points(&bench, PEER), Fault::Headers.points());
}

/// Where a long chain leaves ours is found in a few questions, not by reading all of ours.
#[test]
fn a_fork_far_below_is_found_in_a_few_questions() {
    const SHARED: usize = 3_000;
    let mut other = Bench::new();
    let shared = other.mine_many(SHARED);
    let mut bench = Bench::new();
    bench.now = other.now;
    for moved in &shared {
        bench.take(empty(&bench.spec, moved));
    }
    let ours = bench.mine_many(3_000);
    bench.say(Input::Moved(ours[2_999].clone()));
    for _ in 0..3_001 {
        other.mine(3);
    }
    bench.now = other.now;
    let mut outputs = bench.greet(PEER, &other);
    let mut pages = Vec::new();
    while asked_bodies(&outputs).is_empty() {
        let next = outputs.iter().find_map(|output| match output {
            Output::Request { id, request, .. } if matches!(request, Request::Headers { .. }) => {
                Some((*id, request.clone()))
            }
            _ => None,
        });
        let (id, request) = next.expect("headers are asked for");
        let pool = PoolMirror::default();
        let response = serve::answer(&*other.store, &pool, &request, None).unwrap();
        let Response::Headers(headers) = &response else {
            panic!("{response:?}");
        };
        pages.push(headers[0].0.number as usize);
        outputs = bench.answer(id, response);
    }
    let below = pages.iter().filter(|number| **number <= SHARED).count();
    assert!(below <= 3, "{pages:?}");
    assert_eq!(points(&bench, PEER), 0);
}

/// Who reads out a chain slowly is left for one who is prompt, also in the middle of it.
#[test]
fn a_slow_reading_gives_way_to_a_prompt_one() {
    let mut other = Bench::new();
    let moves = other.mine_many(1_600);
    let mut bench = Bench::new();
    let ours = bench.mine_many(1_500);
    bench.say(Input::Moved(ours[1_499].clone()));
    bench.now = other.now;
    let id = bench.meet(&other);
    let prompt = Peer(2);
    bench.greet(prompt, &other);
    bench.now.ms += 2_500;
    let outputs = bench.hear_headers(id, &moves[..limits::MAX_HEADERS]);
    assert_eq!(asked_headers(&outputs), Some(prompt), "{outputs:?}");
}
