//! What a request may cost us.

use std::time::{Duration, Instant};

use alloy_primitives::U256;
use cairn_vm::CallRequest;
use cairn_vm::opcode as op;
use serde_json::{Value, json};

use super::programs::{apply, push, small, word};
use super::world::{World, call};
use super::{CONTRACT, OTHER};

/// A call with more gas than can be traced.
fn long() -> CallRequest {
    CallRequest {
        gas_limit: 1 << 40,
        ..call(CONTRACT)
    }
}

/// Repeats `body` for ever.
fn forever(body: &[u8]) -> Vec<u8> {
    [&[op::JUMPDEST][..], body, &small(op::JUMP, &[0])].concat()
}

fn error(world: &World, config: Value) -> String {
    world.try_trace(&config, &long()).unwrap_err().to_string()
}

#[test]
fn time_is_up_for_every_tracer() {
    let world = World::with(forever(&[]));
    for tracer in ["callTracer", "prestateTracer", "4byteTracer", "noopTracer"] {
        let config = json!({"tracer": tracer, "timeout": "50ms"});
        assert_eq!(error(&world, config), "execution timeout", "{tracer}");
    }
    let config = json!({"timeout": "50ms", "limit": 1});
    assert_eq!(error(&world, config), "execution timeout");
}

#[test]
fn no_time_is_no_trace() {
    let world = World::with(vec![op::STOP]);
    for timeout in ["0", "-1s"] {
        assert_eq!(
            error(&world, json!({"timeout": timeout})),
            "execution timeout"
        );
    }
}

#[test]
fn a_trace_that_cannot_be_answered_ends_early() {
    let timeout = "120s";
    let too_large = |world: World, config: Value| {
        let error = error(&world, config);
        assert!(
            error.starts_with("the trace is larger than 64 MiB: "),
            "{error}"
        );
    };
    too_large(World::with(forever(&[])), json!({"timeout": timeout}));
    // 64 KiB of calldata, again and again.
    let zero = U256::ZERO;
    let operands = [
        U256::from(100),
        word(OTHER),
        zero,
        U256::from(1 << 16),
        zero,
        zero,
    ];
    let calls = [apply(op::STATICCALL, &operands), vec![op::POP]].concat();
    too_large(
        World::with(forever(&calls)),
        json!({"timeout": timeout, "tracer": "callTracer"}),
    );
    // One slot after the other.
    let slots = [push(U256::ONE), vec![op::ADD, op::DUP1, op::SLOAD, op::POP]].concat();
    let slots = [vec![op::PUSH0, op::JUMPDEST], slots, small(op::JUMP, &[1])].concat();
    too_large(
        World::with(slots),
        json!({"timeout": timeout, "tracer": "prestateTracer"}),
    );
}

#[test]
fn a_timeout_counts_from_the_request() {
    let config: super::super::config::TraceConfig =
        serde_json::from_value(json!({"timeout": "1h"})).unwrap();
    let now = Instant::now();
    assert_eq!(
        config.deadline(now).unwrap(),
        now + Duration::from_secs(120)
    );
}
