//! The verb `run`.

use serde_json::{Value, json};

use crate::cairn_vm;

/// Stores 42 at 1, logs the topic 7 with a byte of memory, and returns a word of memory.
const BUSY: &str = "602a600155600760015fa160205ff3";

#[test]
fn status_gas_output_logs_and_storage_are_printed() {
    let ran = cairn_vm(&["run", "--code", BUSY, "--gas", "50000"]);
    assert_eq!(ran.code, Some(0));
    let gas = 3 + 3 + 22_100 + 3 * 2 + 2 + (750 + 8 + 3) + 3 + 2;
    let topic = format!("0x{:064x}", 7);
    let contract = "0x000000000000000000000000000000000000c0DE";
    let expected = [
        "status: success".to_owned(),
        format!("gas used: {gas} of 50000"),
        format!("output: 0x{:064x}", 0),
        format!("log: {contract} {topic} data 0x00"),
        format!("storage: {contract} 0x1 = 0x2a"),
    ];
    assert_eq!(ran.lines(), expected);
}

#[test]
fn json_has_the_same() {
    let ran = cairn_vm(&["run", "--code", BUSY, "--json"]);
    let [result] = &ran.json()[..] else {
        panic!("{ran:?}")
    };
    assert_eq!(result["pass"], true);
    assert_eq!(result["gasUsed"], format!("{:#x}", 22_880));
    assert_eq!(result["logs"][0]["data"], "0x00");
    let storage = json!({"0x000000000000000000000000000000000000c0DE": {"0x1": "0x2a"}});
    assert_eq!(result["storage"], storage);
}

#[test]
fn code_gets_exactly_the_gas_and_the_input() {
    // Returns what GAS says and the first word of the calldata.
    let code = "5a5f525f3560205260405ff3";
    let ran = cairn_vm(&[
        "run", "--code", code, "--gas", "1000", "--input", "0x2a", "--json",
    ]);
    let expected = format!("0x{:064x}2a{:062x}", 1000 - 2, 0);
    assert_eq!(ran.json()[0]["output"], expected);
}

#[test]
fn reverts_and_halts_are_results() {
    let cases = [
        (
            "60015ffd",
            "status: revert",
            "gas used: 8 of 100",
            "output: 0x00",
        ),
        (
            "fe",
            "status: halt: invalid opcode: INVALID",
            "gas used: 100 of 100",
            "output: 0x",
        ),
        (
            "5f5f55",
            "status: halt: out of gas",
            "gas used: 100 of 100",
            "output: 0x",
        ),
        (
            "01",
            "status: halt: stack underflow",
            "gas used: 100 of 100",
            "output: 0x",
        ),
        ("", "status: success", "gas used: 0 of 100", "output: 0x"),
    ];
    for (code, status, gas, output) in cases {
        let ran = cairn_vm(&["run", "--gas", "100", "--code", code]);
        assert_eq!(ran.lines(), [status, gas, output], "{code}");
        assert_eq!(ran.code, Some(0));
    }
}

#[test]
fn a_trace_has_a_line_for_each_instruction() {
    // PUSH1 2, PUSH0, MSTORE, STOP.
    let ran = cairn_vm(&[
        "run", "--code", "60025f52", "--gas", "100", "--trace", "--json",
    ]);
    let lines = ran.json();
    let field = |name: &str| -> Vec<_> { lines.iter().map(|line| line[name].clone()).collect() };
    assert_eq!(field("pc")[..4], [json!(0), json!(2), json!(3), json!(4)]);
    assert_eq!(
        field("opName")[..4],
        [
            json!("PUSH1"),
            json!("PUSH0"),
            json!("MSTORE"),
            json!("STOP")
        ]
    );
    assert_eq!(
        field("gas")[..4],
        [json!("0x64"), json!("0x61"), json!("0x5f"), json!("0x59")]
    );
    assert_eq!(
        field("gasCost")[..4],
        [json!("0x3"), json!("0x2"), json!("0x6"), json!("0x0")]
    );
    assert_eq!(
        field("memSize")[..4],
        [json!(0), json!(0), json!(0), json!(32)]
    );
    assert_eq!(lines[2]["stack"], json!(["0x2", "0x0"]));
    assert_eq!(lines[2]["op"], 0x52);
    assert_eq!(lines[2]["depth"], 1);
    assert_eq!(lines[4]["gasUsed"], "0xb");
    assert_eq!(lines.len(), 5);
}

/// The lines of a trace, and a number of a line.
fn trace(code: &str) -> Vec<Value> {
    cairn_vm(&[
        "run", "--trace", "--json", "--gas", "100000", "--code", code,
    ])
    .json()
}

fn number(line: &Value, field: &str) -> u64 {
    let digits = line[field]
        .as_str()
        .and_then(|text| text.strip_prefix("0x"))
        .unwrap();
    u64::from_str_radix(digits, 16).unwrap()
}

#[test]
fn the_cost_of_a_call_includes_the_gas_that_it_passes_on() {
    // Calls the identity precompile, which takes 15 of 50 gas.
    let lines = trace("5f5f5f5f5f60046032f100");
    let (call, stop) = (&lines[7], &lines[8]);
    assert_eq!(
        (&call["opName"], &stop["opName"]),
        (&json!("CALL"), &json!("STOP"))
    );
    assert_eq!(number(call, "gasCost"), 100 + 50);
    assert_eq!(number(stop, "gas"), number(call, "gas") - 100 - 15);
    assert_eq!(stop["stack"], json!(["0x1"]));
}

#[test]
fn frames_of_init_code_are_traced_and_the_deposit_is_not_a_cost_of_return() {
    // Creates a contract of one byte with the init code PUSH1 1, PUSH0, RETURN.
    let lines = trace("6360015ff35f526004601c5ff000");
    let (create, first, last, stop) = (&lines[6], &lines[7], &lines[9], &lines[10]);
    assert_eq!(
        (&create["opName"], &first["depth"]),
        (&json!("CREATE"), &json!(2))
    );
    assert_eq!(
        (&last["opName"], number(last, "gasCost")),
        (&json!("RETURN"), 3)
    );
    assert_eq!(number(create, "gasCost"), 32_000 + 2 + number(first, "gas"));
    assert_eq!(
        number(stop, "gas"),
        number(create, "gas") - 32_002 - (3 + 2 + 3 + 200)
    );
    assert_eq!(stop["depth"], 1);
}

#[test]
fn the_instruction_that_halts_has_an_error() {
    let lines = trace("5f01");
    assert_eq!(lines[1]["error"], "stack underflow");
    assert_eq!(lines[1]["gasCost"], lines[1]["gas"]);
    assert_eq!(lines[0].get("error"), None);
}

#[test]
fn code_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("code.hex");
    std::fs::write(&path, "0x60025f52\n  60205ff3\n").unwrap();
    let ran = cairn_vm(&["run", "--code", &format!("@{}", path.display())]);
    assert_eq!(ran.lines()[2], format!("output: 0x{:064x}", 2));
}

#[test]
fn errors_are_one_sentence() {
    let cases = [
        (["--code", "6g"], 2, "cairn-vm: --code is not hexadecimal: "),
        (
            ["--code", "@/nowhere/code.hex"],
            1,
            "cairn-vm: /nowhere/code.hex cannot be read: ",
        ),
    ];
    for (arguments, code, start) in cases {
        let ran = cairn_vm(&[&["run"], &arguments[..]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""));
        assert!(
            ran.stderr.starts_with(start) && ran.stderr.lines().count() == 1,
            "{}",
            ran.stderr
        );
    }
}
