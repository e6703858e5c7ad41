//! The struct logger.

use alloy_primitives::{B256, U256, hex};
use cairn_vm::opcode as op;
use serde_json::{Value, json};

use super::programs::{
    apply, call_with_value, call_without_value, deploying, in_memory, push, small,
};
use super::world::{World, call, creation};
use super::{CONTRACT, NOBODY, OTHER};

/// `0x` and 64 digits.
fn word(value: u64) -> Value {
    json!(B256::from(U256::from(value)))
}

/// What a step costs, and what is wrong with it.
fn cost_and_error(step: &Value) -> (u64, String) {
    let error = step["error"].as_str().unwrap_or_default();
    (step["gasCost"].as_u64().unwrap(), error.to_owned())
}

/// The same of the last step of `code`.
fn last(code: Vec<u8>) -> (u64, String) {
    cost_and_error(World::with(code).steps().last().unwrap())
}

/// The same of the last step of a callee, which the contract's code `calls`.
fn last_of_callee(calls: Vec<u8>, callee: Vec<u8>) -> (u64, String) {
    let steps = World::with(calls).contract(OTHER, callee).steps();
    let inner = steps.iter().rev().find(|step| step["depth"] == 2);
    cost_and_error(inner.unwrap())
}

#[test]
fn every_field_of_a_plain_program() {
    // PUSH1 2 PUSH1 3 ADD PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
    let world = World::with(hex!("60026003015f5260205ff3"));
    let trace = world.trace(&json!({}), &call(CONTRACT));
    let step = |pc, op, gas, cost, stack| json!({"pc": pc, "op": op, "gas": gas, "gasCost": cost, "depth": 1, "stack": stack});
    assert_eq!(
        trace,
        json!({
            "gas": 21_022,
            "failed": false,
            "returnValue": "0x0000000000000000000000000000000000000000000000000000000000000005",
            "structLogs": [
                step(0, "PUSH1", 79_000, 3, json!([])),
                step(2, "PUSH1", 78_997, 3, json!(["0x2"])),
                step(4, "ADD", 78_994, 3, json!(["0x2", "0x3"])),
                step(5, "PUSH0", 78_991, 2, json!(["0x5"])),
                step(6, "MSTORE", 78_989, 6, json!(["0x5", "0x0"])),
                step(7, "PUSH1", 78_983, 3, json!([])),
                step(9, "PUSH0", 78_980, 2, json!(["0x20"])),
                step(10, "RETURN", 78_978, 0, json!(["0x20", "0x0"])),
            ],
        })
    );
}

#[test]
fn the_order_of_fields_is_geths() {
    let world = World::with(small(op::SSTORE, &[1, 2]));
    let trace = world.trace(&json!({"enableMemory": true}), &call(CONTRACT));
    let keys = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(keys(&trace), "gas failed returnValue structLogs");
    assert_eq!(
        keys(&trace["structLogs"][2]),
        "pc op gas gasCost depth stack storage"
    );
}

#[test]
fn options_show_and_hide() {
    let code = [
        in_memory(&[0xaa]),
        call_without_value(op::STATICCALL, 1_000, OTHER),
        small(op::SSTORE, &[1, 9]),
    ];
    let world = World::with(code.concat()).contract(OTHER, small(op::RETURN, &[0, 3]));
    let with = |config| {
        let trace = world.trace(&config, &call(CONTRACT));
        let steps = trace["structLogs"].as_array().unwrap().clone();
        steps.into_iter().rev().nth(1).unwrap()
    };
    let plain = with(json!({}));
    assert_eq!(plain["op"], "SSTORE");
    assert_eq!(plain["stack"], json!(["0x9", "0x1"]));
    assert_eq!(
        plain["storage"],
        json!({word(1).as_str().unwrap(): word(9)})
    );
    for absent in ["memory", "returnData", "error", "refund"] {
        assert!(plain.get(absent).is_none(), "{absent}");
    }
    let all = with(json!({"enableMemory": true, "enableReturnData": true}));
    let memory = "0xaa00000000000000000000000000000000000000000000000000000000000000";
    assert_eq!(all["memory"], json!([memory]));
    assert_eq!(all["returnData"], "0x000000");
    let nothing = with(json!({"disableStack": true, "disableStorage": true}));
    assert!(nothing.get("stack").is_none() && nothing.get("storage").is_none());
}

#[test]
fn storage_and_refund_are_those_that_geth_shows() {
    let code = [
        small(op::SLOAD, &[1]),
        small(op::SSTORE, &[2, 5]),
        small(op::SSTORE, &[1, 0]),
        small(op::SSTORE, &[1, 7]),
        vec![op::STOP],
    ];
    let steps = World::with(code.concat()).slot(CONTRACT, 1, 7).steps();
    let touching: Vec<_> = steps
        .iter()
        .filter(|step| step.get("storage").is_some())
        .collect();
    let storage = |pairs: &[(u64, u64)]| {
        let pair =
            |(slot, value): &(u64, u64)| (word(*slot).as_str().unwrap().to_owned(), word(*value));
        Value::Object(pairs.iter().map(pair).collect())
    };
    let seen = |index: usize| {
        (
            &touching[index]["storage"],
            touching[index]["gasCost"].as_u64().unwrap(),
        )
    };
    assert_eq!(touching.len(), 4);
    assert_eq!(
        seen(0),
        (&storage(&[(1, 7)]), 2_100),
        "what SLOAD is going to find"
    );
    assert_eq!(seen(1), (&storage(&[(1, 7), (2, 5)]), 22_100));
    assert_eq!(seen(2), (&storage(&[(1, 0), (2, 5)]), 2_900));
    assert_eq!(seen(3), (&storage(&[(1, 7), (2, 5)]), 100));
    // geth adds to the counter while it prices SSTORE, before it shows the instruction.
    assert!(touching[1].get("refund").is_none());
    assert_eq!(touching[2]["refund"], 4_800);
    assert_eq!(
        touching[3]["refund"], 2_800,
        "clearing is taken back, resetting counts"
    );
    assert_eq!(steps[steps.len() - 1]["refund"], 2_800);
}

#[test]
fn a_call_costs_what_it_hands_on() {
    let code = [call_with_value(op::CALL, 5_000, OTHER, 0), vec![op::STOP]];
    let world = World::with(code.concat()).contract(OTHER, small(op::SLOAD, &[3]));
    let steps = world.steps();
    let of = |index: usize, key: &str| steps[index][key].as_u64().unwrap();
    let at = steps.iter().position(|step| step["op"] == "CALL").unwrap();
    assert_eq!(of(at, "gasCost"), 2_600 + 5_000);
    assert_eq!((of(at + 1, "depth"), of(at + 1, "gas")), (2, 5_000));
    assert_eq!(steps[at + 3]["op"], "STOP", "behind the end of the code");
    assert_eq!(of(at + 3, "gas"), 5_000 - 3 - 2_100);
    // What the callee leaves comes back.
    assert_eq!(of(at + 4, "depth"), 1);
    assert_eq!(of(at + 4, "gas"), of(at, "gas") - 2_600 - 3 - 2_100);
}

#[test]
fn a_call_never_costs_more_than_all_but_a_64th() {
    let code = call_with_value(op::CALL, 1 << 40, NOBODY, 0);
    let steps = World::with(code).steps();
    let call = steps.iter().find(|step| step["op"] == "CALL").unwrap();
    let left = call["gas"].as_u64().unwrap() - 2_600;
    assert_eq!(call["gasCost"], 2_600 + left - left / 64);
}

#[test]
fn value_costs_but_its_stipend_is_free() {
    let code = call_with_value(op::CALL, 0, OTHER, 1);
    let world = World::with(code)
        .account(CONTRACT, 5)
        .contract(OTHER, vec![op::GAS]);
    let steps = world.steps();
    let at = steps.iter().position(|step| step["op"] == "CALL").unwrap();
    assert_eq!(steps[at]["gasCost"], 2_600 + 9_000);
    assert_eq!(steps[at + 1]["gas"], 2_300);
    let to_nobody = World::with(call_with_value(op::CALL, 0, NOBODY, 1)).account(CONTRACT, 5);
    let steps = to_nobody.steps();
    assert_eq!(steps[at]["gasCost"], 2_600 + 9_000 + 25_000);
}

#[test]
fn a_creation_costs_without_what_it_hands_on() {
    let init = deploying(&[op::STOP]);
    let len = init.len() as u64;
    let code = [
        in_memory(&init),
        small(op::CREATE, &[0, 0, len]),
        vec![op::STOP],
    ];
    let steps = World::with(code.concat()).steps();
    let create = steps.iter().find(|step| step["op"] == "CREATE").unwrap();
    assert_eq!(create["gasCost"], 32_000 + 2);
    let inner: Vec<_> = steps.iter().filter(|step| step["depth"] == 2).collect();
    let left = create["gas"].as_u64().unwrap() - 32_002;
    assert_eq!(inner[0]["gas"], left - left / 64);
}

#[test]
fn the_deposit_of_code_is_no_part_of_return() {
    let trace = World::with(vec![]).trace(&json!({}), &creation(deploying(&[op::STOP])));
    let steps = trace["structLogs"].as_array().unwrap();
    assert_eq!(steps[steps.len() - 1]["gasCost"], 0);
    assert_eq!(trace["returnValue"], "0x00");
    let used = steps[0]["gas"].as_u64().unwrap() - steps[steps.len() - 1]["gas"].as_u64().unwrap();
    let intrinsic = 100_000 - steps[0]["gas"].as_u64().unwrap();
    assert_eq!(trace["gas"], intrinsic + used + 200);
}

#[test]
fn what_does_not_begin_says_why() {
    assert_eq!(last(vec![op::ADD]), (3, "stack underflow (0 <=> 2)".into()));
    assert_eq!(
        last(vec![op::PUSH0, op::SWAP1]),
        (3, "stack underflow (1 <=> 2)".into())
    );
    let full = [vec![op::PUSH0; 1024], vec![op::DUP1]].concat();
    assert_eq!(last(full), (3, "stack limit reached 1024 (1023)".into()));
    let words = U256::from(1 << 20);
    assert_eq!(
        last(apply(op::MLOAD, &[words])),
        (3 + 98_307 + 2_097_280, "out of gas".into()),
        "the price that could not be paid"
    );
    let overflow = apply(op::MSTORE, &[U256::MAX, U256::ZERO]);
    assert_eq!(last(overflow), (3, "gas uint64 overflow".into()));
    let beyond = apply(op::MSTORE, &[U256::from(1_u64 << 40), U256::ZERO]);
    assert_eq!(last(beyond), (3, "out of gas: gas uint64 overflow".into()));
    let init_code = small(op::CREATE, &[0, 0, 49_153]);
    let too_long = "out of gas: max initcode size exceeded: code size 49153 limit 49152";
    assert_eq!(last(init_code), (32_000, too_long.into()));
}

#[test]
fn what_fails_only_when_it_runs_does_not_say_why() {
    assert_eq!(last(small(op::JUMP, &[0])), (8, String::new()));
    assert_eq!(last(small(op::JUMPI, &[0, 1])), (10, String::new()));
    assert_eq!(last(vec![op::INVALID]), (0, String::new()));
    assert_eq!(last(vec![0x0c]), (0, String::new()));
    assert_eq!(
        last(small(op::RETURNDATACOPY, &[0, 0, 1])),
        (3 + 3 + 3, String::new())
    );
    assert_eq!(last(small(op::REVERT, &[0, 1])), (3, String::new()));
    let world = World::with(vec![0x0c]);
    assert_eq!(world.steps()[0]["op"], "opcode 0xc not defined");
    assert_eq!(
        World::with(vec![op::PREVRANDAO]).steps()[0]["op"],
        "DIFFICULTY"
    );
}

#[test]
fn little_gas_says_what_was_missing() {
    let with_gas = |gas: u64, callee: Vec<u8>| {
        last_of_callee(call_with_value(op::CALL, gas, OTHER, 0), callee)
    };
    let sstore = small(op::SSTORE, &[1, 1]);
    let sentry = "out of gas: not enough gas for reentrancy sentry";
    assert_eq!(with_gas(2_306, sstore.clone()), (0, sentry.into()));
    assert_eq!(with_gas(2_307, sstore), (22_100, "out of gas".into()));
    assert_eq!(
        with_gas(2_000, small(op::SLOAD, &[0])),
        (2_100, "out of gas".into())
    );
    let balance = apply(op::BALANCE, &[super::programs::word(NOBODY)]);
    assert_eq!(
        with_gas(50, balance.clone()),
        (100, "out of gas".into()),
        "the fixed part"
    );
    assert_eq!(with_gas(200, balance), (2_600, "out of gas".into()));
    let call = call_with_value(op::CALL, 0, NOBODY, 0);
    assert_eq!(
        with_gas(1_000, call),
        (100, "out of gas: out of gas".into())
    );
    let destruct = apply(op::SELFDESTRUCT, &[super::programs::word(NOBODY)]);
    assert_eq!(
        with_gas(6_000, destruct),
        (5_000, "out of gas: out of gas".into())
    );
    assert_eq!(
        with_gas(10, small(op::EXP, &[2, 256])),
        (110, "out of gas".into())
    );
    let log = small(op::LOG1, &[0, 5, 1]);
    assert_eq!(with_gas(400, log), (750 + 3 + 40, "out of gas".into()));
}

#[test]
fn changes_below_a_static_call_are_named() {
    let below =
        |callee: Vec<u8>| last_of_callee(call_without_value(op::STATICCALL, 60_000, OTHER), callee);
    let forbidden = || String::from("out of gas: write protection");
    assert_eq!(below(small(op::SSTORE, &[1, 1])), (0, forbidden()));
    assert_eq!(below(small(op::CREATE, &[0, 0, 0])), (32_000, forbidden()));
    assert_eq!(below(small(op::SELFDESTRUCT, &[0])), (5_000, forbidden()));
    assert_eq!(
        below(call_with_value(op::CALL, 0, NOBODY, 1)),
        (100, forbidden())
    );
    assert_eq!(below(small(op::LOG0, &[0, 0])), (375, String::new()));
    assert_eq!(below(small(op::TSTORE, &[0, 0])), (100, String::new()));
}

#[test]
fn the_limit_counts_bytes_of_entries() {
    let world = World::with([push(U256::ONE), vec![op::POP; 1], vec![op::PC; 50]].concat());
    let len = |limit: i64| {
        let trace = world.trace(&json!({"limit": limit}), &call(CONTRACT));
        trace["structLogs"].as_array().unwrap().len()
    };
    // {"pc":0,"op":"PUSH1","gas":79000,"gasCost":3,"depth":1,"stack":[]} has 66 bytes.
    assert_eq!([len(0), len(65), len(66), len(-1)], [53, 1, 2, 0]);
}

#[test]
fn a_revert_returns_its_data_and_a_halt_nothing() {
    let reverted = World::with([in_memory(&[1, 2]), small(op::REVERT, &[0, 2])].concat());
    let trace = reverted.trace(&json!({}), &call(CONTRACT));
    assert_eq!(
        (&trace["failed"], &trace["returnValue"]),
        (&json!(true), &json!("0x0102"))
    );
    let halted = World::with(vec![op::INVALID]).trace(&json!({}), &call(CONTRACT));
    assert_eq!(
        (&halted["failed"], &halted["returnValue"]),
        (&json!(true), &json!("0x"))
    );
    assert_eq!(halted["gas"], 100_000);
    let plain = World::with(vec![]).trace(&json!({}), &call(NOBODY));
    let expected = json!({"gas": 21_000, "failed": false, "returnValue": "0x", "structLogs": []});
    assert_eq!(plain, expected);
}
