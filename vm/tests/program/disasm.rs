//! The verb `disasm`.

use serde_json::json;

use crate::cairn_vm;

/// `PUSH1 6, JUMPI, STOP, INVALID, 0x0c, JUMPDEST, PUSH2` with half of its operand missing.
const CODE: &str = "60065700fe0c5b615b";

#[test]
fn blocks_instructions_and_jumps_are_shown() {
    let ran = cairn_vm(&["disasm", CODE]);
    assert_eq!(ran.code, Some(0));
    let expected = "\
block 0x0000: gas 13, needs 1, grows 1
  0x0000  60  PUSH1          0x06
  0x0002  57  JUMPI          -> 0x0006
block 0x0003: gas 0, needs 0, grows 0
  0x0003  00  STOP
block 0x0004: gas 0, needs 0, grows 0
  0x0004  fe  INVALID
block 0x0005: gas 0, needs 0, grows 0
  0x0005  0c  opcode 0xc not defined
block 0x0006: gas 4, needs 0, grows 1, from 0x0002
  0x0006  5b  JUMPDEST
  0x0007  61  PUSH2          0x5b
";
    assert_eq!(ran.stdout, expected);
}

#[test]
fn json_has_the_same() {
    let ran = cairn_vm(&["disasm", "--json", CODE]);
    let blocks = ran.json();
    assert_eq!(blocks.len(), 5);
    let jump = json!({"pc": 2, "op": 0x57, "opName": "JUMPI", "target": "0x6", "isJumpdest": true});
    assert_eq!(blocks[0]["instructions"][1], jump);
    assert_eq!(blocks[4]["from"], json!([2]));
    assert_eq!(blocks[4]["gas"], 4);
}

#[test]
fn a_jump_into_an_operand_is_pointed_out() {
    let ran = cairn_vm(&["disasm", "600456605b"]);
    assert_eq!(
        ran.lines()[2],
        "  0x0002  56  JUMP           -> 0x0004, no JUMPDEST"
    );
}

#[test]
fn what_is_no_code_is_a_usage_error() {
    let ran = cairn_vm(&["disasm", "xyz"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr
            .starts_with("cairn-vm: the code is not hexadecimal: "),
        "{}",
        ran.stderr
    );
}
