//! `callTracer`.

use alloy_primitives::{Address, U256};
use cairn_vm::CallRequest;
use cairn_vm::opcode as op;
use serde_json::{Value, json};

use super::programs::{
    apply, call_with_value, call_without_value, deploying, in_memory, small, word,
};
use super::world::{World, call, creation};
use super::{CONTRACT, NOBODY, OTHER, SENDER};

fn config(with_log: bool, only_top_call: bool) -> Value {
    json!({"tracer": "callTracer", "tracerConfig": {"withLog": with_log, "onlyTopCall": only_top_call}})
}

fn trace(world: &World, call: &CallRequest) -> Value {
    world.trace(&config(true, false), call)
}

/// The error of the only call that the contract makes.
fn inner_error(world: World) -> Value {
    let trace = trace(&world, &call(CONTRACT));
    assert_eq!(trace["calls"].as_array().unwrap().len(), 1);
    trace["calls"][0]["error"].clone()
}

#[test]
fn a_plain_transfer() {
    let world = World::with(vec![]);
    let transfer = CallRequest {
        value: U256::from(5),
        input: vec![1, 2, 3].into(),
        ..call(NOBODY)
    };
    assert_eq!(
        trace(&world, &transfer),
        json!({
            "from": SENDER,
            "gas": "0x186a0",
            "gasUsed": "0x5280",
            "to": NOBODY,
            "input": "0x010203",
            "value": "0x5",
            "type": "CALL",
        })
    );
}

#[test]
fn every_kind_of_call_shows_what_geth_shows() {
    let code = [
        call_with_value(op::CALL, 900, OTHER, 3),
        call_with_value(op::CALLCODE, 900, OTHER, 2),
        call_without_value(op::DELEGATECALL, 900, OTHER),
        call_without_value(op::STATICCALL, 900, OTHER),
    ];
    let world = World::with(code.concat()).account(CONTRACT, 9);
    let world = world.contract(OTHER, small(op::RETURN, &[0, 2]));
    let outer = CallRequest {
        value: U256::from(7),
        ..call(CONTRACT)
    };
    let trace = trace(&world, &outer);
    let inner = |kind: &str, gas: &str| {
        json!({
            "from": CONTRACT, "gas": gas, "gasUsed": "0x8", "to": OTHER, "input": "0x",
            "output": "0x0000", "type": kind,
        })
    };
    let valued = |kind: &str, gas: &str, value: &str| {
        let mut call = inner(kind, gas);
        call["value"] = json!(value);
        call
    };
    assert_eq!(
        trace["calls"],
        json!([
            valued("CALL", "0xc80", "0x3"),
            valued("CALLCODE", "0xc80", "0x2"),
            valued("DELEGATECALL", "0x384", "0x7"),
            inner("STATICCALL", "0x384"),
        ])
    );
    assert_eq!(trace["value"], "0x7");
}

#[test]
fn the_order_of_fields_is_geths() {
    let code = [
        small(op::LOG0, &[0, 0]),
        call_with_value(op::CALL, 0, NOBODY, 0),
    ]
    .concat();
    let code = [code, small(op::RETURN, &[0, 1])].concat();
    let trace = trace(&World::with(code), &call(CONTRACT));
    let keys: Vec<_> = trace.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        keys.join(" "),
        "from gas gasUsed to input output calls logs value type"
    );
}

#[test]
fn calls_nest_in_the_order_in_which_they_were_made() {
    let leaf = Address::repeat_byte(0x11);
    let middle = [
        call_with_value(op::CALL, 3_000, leaf, 0),
        call_with_value(op::CALL, 0, leaf, 0),
    ];
    let code = [
        call_with_value(op::CALL, 30_000, OTHER, 0),
        call_with_value(op::CALL, 0, NOBODY, 0),
        call_with_value(op::CALL, 20_000, OTHER, 0),
    ];
    let world = World::with(code.concat()).contract(OTHER, middle.concat());
    let trace = trace(&world.contract(leaf, vec![op::STOP]), &call(CONTRACT));
    fn shape(frame: &Value) -> Value {
        let calls = frame["calls"].as_array();
        let inner: Vec<_> = calls.into_iter().flatten().map(shape).collect();
        json!([frame["to"], inner])
    }
    let twice = json!([[leaf, []], [leaf, []]]);
    let expected = json!([CONTRACT, [[OTHER, twice], [NOBODY, []], [OTHER, twice]]]);
    assert_eq!(shape(&trace), expected);
}

#[test]
fn only_the_top_call_where_nothing_else_is_wanted() {
    let code = [
        small(op::LOG0, &[0, 0]),
        call_with_value(op::CALL, 9_000, OTHER, 0),
    ]
    .concat();
    let world = World::with(code).contract(OTHER, small(op::LOG0, &[0, 0]));
    let top = world.trace(&config(true, true), &call(CONTRACT));
    assert!(top.get("calls").is_none());
    assert_eq!(top["logs"].as_array().unwrap().len(), 1);
    assert_eq!(top["logs"][0]["position"], "0x0");
    let whole = world.trace(&config(false, false), &call(CONTRACT));
    assert_eq!(whole["calls"].as_array().unwrap().len(), 1);
    assert!(whole.get("logs").is_none() && whole["calls"][0].get("logs").is_none());
    assert_eq!(whole["gasUsed"], top["gasUsed"]);
}

#[test]
fn logs_have_an_index_in_the_block_and_a_position_among_the_calls() {
    let code = [
        small(op::LOG2, &[0, 0, 8, 9]),
        call_with_value(op::CALL, 9_000, OTHER, 0),
        in_memory(&[0xab]),
        small(op::LOG0, &[0, 1]),
    ];
    let world = World::with(code.concat()).contract(OTHER, small(op::LOG0, &[0, 0]));
    let trace = trace(&world, &call(CONTRACT));
    let log = |address: Address, topics: Value, data: &str, index: &str, position: &str| json!({"address": address, "topics": topics, "data": data, "index": index, "position": position});
    let topic = |value: u64| alloy_primitives::B256::from(U256::from(value));
    // Seven logs were written in the block before.
    assert_eq!(
        trace["logs"],
        json!([
            log(CONTRACT, json!([topic(8), topic(9)]), "0x", "0x7", "0x0"),
            log(CONTRACT, json!([]), "0xab", "0x9", "0x1"),
        ])
    );
    assert_eq!(
        trace["calls"][0]["logs"],
        json!([log(OTHER, json!([]), "0x", "0x8", "0x0")])
    );
}

#[test]
fn logs_of_what_failed_are_gone_with_all_within() {
    let leaf = Address::repeat_byte(0x11);
    let fails = [
        call_with_value(op::CALL, 9_000, leaf, 0),
        small(op::LOG0, &[0, 0]),
        small(op::REVERT, &[0, 0]),
    ];
    let code = [
        call_with_value(op::CALL, 30_000, OTHER, 0),
        small(op::LOG0, &[0, 0]),
    ];
    let world = World::with(code.concat()).contract(OTHER, fails.concat());
    let trace = trace(
        &world.contract(leaf, small(op::LOG0, &[0, 0])),
        &call(CONTRACT),
    );
    assert_eq!(trace["calls"][0]["error"], "execution reverted");
    assert!(trace["calls"][0].get("logs").is_none());
    assert!(trace["calls"][0]["calls"][0].get("logs").is_none());
    assert_eq!(trace["logs"].as_array().unwrap().len(), 1);
    assert_eq!(
        trace["logs"][0]["index"], "0x7",
        "undone logs take no index"
    );
}

#[test]
fn a_revert_has_its_output_and_solidity_a_reason() {
    let reason = alloy_primitives::hex!(
        "08c379a0"
        "0000000000000000000000000000000000000000000000000000000000000020"
        "0000000000000000000000000000000000000000000000000000000000000003"
        "6e6f210000000000000000000000000000000000000000000000000000000000"
    );
    let code = [
        small(op::CODECOPY, &[0, 10, 100]),
        small(op::REVERT, &[0, 100]),
    ]
    .concat();
    assert_eq!(code.len(), 10);
    let world = World::with([&code[..], &reason].concat());
    let trace = trace(&world, &call(CONTRACT));
    assert_eq!(trace["error"], "execution reverted");
    assert_eq!(trace["revertReason"], "no!");
    assert_eq!(
        trace["output"],
        alloy_primitives::hex::encode_prefixed(reason)
    );
    let world = World::with([in_memory(&[1, 2, 3, 4, 5]), small(op::REVERT, &[0, 5])].concat());
    let custom = self::trace(&world, &call(CONTRACT));
    assert_eq!(custom["output"], "0x0102030405");
    assert!(custom.get("revertReason").is_none());
    let world = World::with(small(op::REVERT, &[0, 0]));
    assert!(self::trace(&world, &call(CONTRACT)).get("output").is_none());
}

#[test]
fn creations_show_the_new_contract_or_nothing() {
    let init = deploying(&[op::PC]);
    let world = World::with(vec![]);
    let created = trace(&world, &creation(init.clone()));
    let input = alloy_primitives::hex::encode_prefixed(&init);
    assert_eq!(created["to"], json!(SENDER.create(0)));
    assert_eq!(
        (&created["type"], &created["output"]),
        (&json!("CREATE"), &json!("0x58"))
    );
    assert_eq!(
        (&created["input"], &created["value"]),
        (&json!(input), &json!("0x0"))
    );
    let failed = trace(&world, &creation(vec![op::INVALID]));
    assert!(failed.get("to").is_none());
    assert_eq!(failed["error"], "invalid opcode: INVALID");
    assert_eq!(failed["gasUsed"], "0x186a0");
}

#[test]
fn created_contracts_know_their_creator() {
    let init = deploying(&[op::STOP]);
    let len = init.len() as u64;
    let code = [
        in_memory(&init),
        small(op::CREATE, &[0, 0, len]),
        small(op::CREATE2, &[0, 0, len, 5]),
    ];
    let one = CallRequest {
        gas_limit: 1_000_000,
        ..call(CONTRACT)
    };
    let trace = trace(&World::with(code.concat()), &one);
    let salt = U256::from(5).to_be_bytes::<32>();
    let second = CONTRACT.create2_from_code(salt, &init);
    for (call, kind, to) in [
        (&trace["calls"][0], "CREATE", CONTRACT.create(1)),
        (&trace["calls"][1], "CREATE2", second),
    ] {
        assert_eq!((&call["type"], &call["to"]), (&json!(kind), &json!(to)));
        assert_eq!(
            (&call["from"], &call["output"]),
            (&json!(CONTRACT), &json!("0x00"))
        );
    }
}

#[test]
fn a_contract_that_gives_itself_away_makes_a_call() {
    let code = apply(op::SELFDESTRUCT, &[word(NOBODY)]);
    let world = World::with(code).account(CONTRACT, 6);
    let trace = trace(&world, &call(CONTRACT));
    assert_eq!(
        trace["calls"],
        json!([{
            "from": CONTRACT, "gas": "0x0", "gasUsed": "0x0", "to": NOBODY, "input": "0x",
            "value": "0x6", "type": "SELFDESTRUCT",
        }])
    );
}

#[test]
fn every_way_to_fail_has_geths_words() {
    let calling = |callee: Vec<u8>| {
        let code = call_with_value(op::CALL, 30_000, OTHER, 0);
        inner_error(World::with(code).contract(OTHER, callee))
    };
    for (callee, words) in [
        (vec![op::ADD], "stack underflow (0 <=> 2)"),
        (vec![0x0c], "invalid opcode: opcode 0xc not defined"),
        (small(op::JUMP, &[0]), "invalid jump destination"),
        (
            small(op::RETURNDATACOPY, &[0, 0, 1]),
            "return data out of bounds",
        ),
        (small(op::MLOAD, &[1 << 30]), "out of gas"),
        (apply(op::MLOAD, &[U256::MAX]), "gas uint64 overflow"),
        // What is wrong first counts, wherever the machine notices it.
        (
            vec![op::PC, op::POP, op::INVALID, op::ADD],
            "invalid opcode: INVALID",
        ),
        (
            [small(op::JUMP, &[1 << 20]), vec![op::ADD]].concat(),
            "invalid jump destination",
        ),
    ] {
        assert_eq!(calling(callee), words);
    }
    let static_log = call_without_value(op::STATICCALL, 9_000, OTHER);
    let world = World::with(static_log).contract(OTHER, small(op::LOG0, &[0, 0]));
    assert_eq!(inner_error(world), "write protection");
    let poor = World::with(call_with_value(op::CALL, 0, OTHER, 1));
    assert_eq!(inner_error(poor), "insufficient balance for transfer");
    let precompile = Address::with_last_byte(2);
    let little = World::with(call_with_value(op::CALL, 5, precompile, 0));
    assert_eq!(inner_error(little), "out of gas");
}

#[test]
fn what_keeps_code_from_being_deployed_is_told() {
    let deploying_gas = |init_code: Vec<u8>, gas_limit| {
        let creation = CallRequest {
            gas_limit,
            ..creation(init_code)
        };
        trace(&World::with(vec![]), &creation)["error"].clone()
    };
    assert_eq!(
        deploying_gas(deploying(&[0xef]), 100_000),
        "invalid code: must not begin with 0xef"
    );
    let large = small(op::RETURN, &[0, 24_577]);
    let too_large = "max code size exceeded: code size 24577 limit 24576";
    assert_eq!(deploying_gas(large.clone(), 10_000_000), too_large);
    let out_of_gas = "contract creation code storage out of gas";
    assert_eq!(deploying_gas(large, 1_000_000), out_of_gas);
    assert_eq!(
        deploying_gas(small(op::RETURN, &[0, 32]), 55_000),
        out_of_gas
    );
    let collides = World::with(vec![]).contract(SENDER.create(0), vec![op::STOP]);
    assert_eq!(
        trace(&collides, &creation(vec![]))["error"],
        "contract address collision"
    );
}

#[test]
fn a_call_too_deep_is_the_last_one() {
    // Calls itself with all the gas there is.
    let code = [op::PUSH0; 5];
    let code = [&code[..], &[op::ADDRESS, op::GAS, op::CALL]].concat();
    let deep = CallRequest {
        gas_limit: 1 << 45,
        ..call(CONTRACT)
    };
    let config = json!({"tracer": "callTracer"});
    let machines = crate::rpc::machines::Machines::new(1);
    let config = serde_json::from_value(config).unwrap();
    let mut session = super::super::session::Session::new(&machines, &config).unwrap();
    session
        .call(&World::with(code), &super::world::block(), &deep, 0)
        .unwrap();
    // Nested this deep, no JSON library of ours reads it.
    let text = session.finish().unwrap().get().to_owned();
    assert_eq!(text.matches("\"calls\":[").count(), 1_025);
    assert_eq!(text.matches("max call depth exceeded").count(), 1);
    assert_eq!(text.matches('{').count(), text.matches('}').count());
    assert_eq!(text.matches('[').count(), text.matches(']').count());
}
