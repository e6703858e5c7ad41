//! The table of instructions in `docs/vm.md` is the one in `opcode`, written down.

use std::fs;
use std::path::Path;

use cairn_vm::opcode::{self, Info};

const BEGIN: &str = "<!-- opcodes: written by `CAIRN_WRITE_DOCS=1 cargo test --release -p cairn-vm --test docs` -->\n";
const END: &str = "<!-- end of opcodes -->";

/// A line of the table; PUSH, DUP, SWAP and LOG are shown like all others.
fn row(byte: usize, info: &Info) -> String {
    let Info {
        name,
        gas,
        inputs,
        outputs,
        ..
    } = info;
    format!("| `{byte:02x}` | {name} | {gas} | {inputs} | {outputs} |\n")
}

fn table() -> String {
    let head = "| byte | name | static gas | takes | leaves |\n|---|---|---|---|---|\n".to_owned();
    let rows = opcode::TABLE.iter().enumerate();
    rows.filter_map(|(byte, info)| Some(row(byte, info.as_ref()?)))
        .fold(head, |table, row| table + &row)
}

#[test]
fn the_page_shows_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/vm.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("the page says where the table begins");
    let (shown, after) = rest
        .split_once(END)
        .expect("the page says where the table ends");
    if std::env::var_os("CAIRN_WRITE_DOCS").is_some() {
        fs::write(&path, [before, BEGIN, &table(), END, after].concat()).unwrap();
    } else {
        assert_eq!(shown, table(), "write the page anew, as its comment says");
    }
}
