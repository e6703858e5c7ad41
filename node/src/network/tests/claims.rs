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
