//! The verb `statetest`, on fixtures made here.

use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cairn_vm;

/// keccak-256 of the RLP of an empty list: no logs.
const NO_LOGS: &str = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";

/// What the state of the fixture below comes to.
const ROOT: &str = "0x3ead061196a51efe05e541ed2681f87bb8b4573cec98717abcaaa18ead8a8216";

/// The same if nothing happens.
const ROOT_BEFORE: &str = "0xf6dc6236e1b6af478a1f50ab5aa843a0b5142bafb7688609489eb9822aad7984";

const SENDER: Address = Address::repeat_byte(0x11);
const CONTRACT: Address = Address::repeat_byte(0x22);
const MINER: Address = Address::repeat_byte(0x33);

/// A contract that stores 42 at 0 is called at 10 wei per gas, of which 3 are a tip.
fn fixture() -> Value {
    json!({
        "env": {
            "currentCoinbase": MINER, "currentGasLimit": "0x05f5e100", "currentNumber": "0x01",
            "currentTimestamp": "0x03e8", "currentRandom": B256::ZERO, "currentDifficulty": "0x00",
            "currentBaseFee": "0x07", "currentExcessBlobGas": "0x00"
        },
        "pre": {
            SENDER.to_string(): {"nonce": "0x00", "balance": "0x0f4240", "code": "0x", "storage": {}},
            CONTRACT.to_string(): {"nonce": "0x01", "balance": "0x00", "code": "0x602a5f55", "storage": {}}
        },
        "transaction": {
            "nonce": "0x00", "gasPrice": "0x0a", "gasLimit": ["0xc350"], "to": CONTRACT, "value": ["0x00"],
            "data": ["0x"], "sender": SENDER
        },
        "post": {"Osaka": [{
            "hash": ROOT, "logs": NO_LOGS, "indexes": {"data": 0, "gas": 0, "value": 0},
            "state": {
                SENDER.to_string(): {"nonce": "0x01", "balance": "0x08ae76", "code": "0x", "storage": {}},
                CONTRACT.to_string(): {"nonce": "0x01", "balance": "0x00", "code": "0x602a5f55", "storage": {"0x00": "0x2a"}},
                MINER.to_string(): {"nonce": "0x00", "balance": "0x01f923", "code": "0x", "storage": {}}
            }
        }]},
        "config": {"chainid": "0x01"}
    })
}

/// A folder with a file of fixtures.
struct Folder {
    folder: TempDir,
    file: PathBuf,
}

impl Folder {
    fn new(fixtures: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cases.json");
        std::fs::write(&file, fixtures.to_string()).unwrap();
        Self { folder, file }
    }

    fn path(&self) -> &str {
        self.file.to_str().unwrap()
    }
}

/// The fixture with one change.
fn changed(pointer: &str, value: Value) -> Value {
    let mut fixture = fixture();
    *fixture.pointer_mut(pointer).unwrap() = value;
    fixture
}

/// The fixture, expecting an exception.
fn expecting(exception: &str) -> Value {
    let mut fixture = fixture();
    fixture["post"]["Osaka"][0]["expectException"] = exception.into();
    fixture
}

#[test]
fn a_case_that_passes_is_only_counted() {
    let folder = Folder::new(&json!({"good": fixture()}));
    for path in [folder.path(), folder.folder.path().to_str().unwrap()] {
        let ran = cairn_vm(&["statetest", path]);
        assert_eq!(
            (ran.stdout.as_str(), ran.stderr.as_str(), ran.code),
            ("1 passed, 0 failed\n", "", Some(0))
        );
    }
}

#[test]
fn a_failure_shows_what_is_different() {
    let pointer = format!("/post/Osaka/0/state/{CONTRACT}/storage");
    let mut bad = changed(&pointer, json!({"0x00": "0x2b", "0x05": "0x01"}));
    bad["post"]["Osaka"][0]["hash"] = json!(B256::ZERO);
    let folder = Folder::new(&json!({"bad": bad, "good": fixture()}));
    let ran = cairn_vm(&["statetest", folder.path()]);
    let expected = [
        "FAILED bad (data 0, gas 0, value 0)".to_owned(),
        format!("  file: {}", folder.path()),
        "  ended with success, 43105 gas used".to_owned(),
        format!("  the state root is {ROOT}, expected {}", B256::ZERO),
        format!("  {CONTRACT} slot 0x0: 0x2a, expected 0x2b"),
        format!("  {CONTRACT} slot 0x5: 0x0, expected 0x1"),
        "1 passed, 1 failed".to_owned(),
    ];
    assert_eq!(ran.lines(), expected);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn other_logs_are_a_failure() {
    let folder = Folder::new(&json!({"bad": changed("/post/Osaka/0/logs", json!(B256::ZERO))}));
    let ran = cairn_vm(&["statetest", folder.path()]);
    assert_eq!(
        ran.lines()[3],
        format!(
            "  the hash of the logs is {NO_LOGS}, expected {}",
            B256::ZERO
        )
    );
    assert_eq!(ran.code, Some(1));
}

#[test]
fn an_expected_exception_means_invalid_and_unchanged() {
    let poor = |hash: &str| {
        let mut fixture = expecting("TransactionException.INSUFFICIENT_ACCOUNT_FUNDS");
        fixture["transaction"]["value"] = json!(["0xffffffff"]);
        fixture["post"]["Osaka"][0]["hash"] = hash.into();
        fixture
    };
    let cases = json!({
        "1 refused": poor(ROOT_BEFORE),
        "2 refused, but another state": poor(ROOT),
        "3 not refused": expecting("TransactionException.NONCE_IS_MAX"),
        "4 not expected": changed("/transaction/nonce", json!("0x05")),
    });
    let ran = cairn_vm(&["statetest", "--json", Folder::new(&cases).path()]);
    let failures: Vec<Vec<Value>> = ran
        .json()
        .iter()
        .filter_map(|case| case["failures"].as_array().cloned())
        .collect();
    assert!(failures[0].is_empty(), "{ran:?}");
    assert_eq!(
        failures[1][0],
        format!("the state root is {ROOT_BEFORE}, expected {ROOT}")
    );
    assert_eq!(
        failures[2],
        [json!(
            "the transaction is valid, expected TransactionException.NONCE_IS_MAX"
        )]
    );
    let reason = "nonce too high: the account is at 0, the transaction has 5";
    assert_eq!(
        failures[3][0],
        format!("the transaction is invalid ({reason}), expected a valid one")
    );
    assert_eq!(
        ran.json()[4],
        json!({"passed": 1, "failed": 3, "skipped": 0})
    );
    assert_eq!(ran.stderr, "1 passed, 3 failed\n");
    assert_eq!(ran.code, Some(1));
}

#[test]
fn what_only_the_envelope_shows_makes_a_transaction_invalid() {
    // A transaction of type 2 for the chain 1, signed by somebody else.
    let foreign = "0x02f86301800107830186a094ef5d8525b90f834e9b84a59351846383049035d48080c080a050b0296997589bfd424b094c3c\
                   7f39a89f518699fbe6f13c4d511ee5abe97438a06c7e63ab4d87efe9548c65d9c87fb64ac316f0d0e6bc29b3e230e479d9a653f1";
    let with = |bytes: &str, chain: &str| {
        let mut fixture = fixture();
        fixture["post"]["Osaka"][0]["txbytes"] = bytes.into();
        fixture["config"]["chainid"] = chain.into();
        fixture
    };
    let cases = json!({
        "1 no transaction": with("0x02c0", "0x01"),
        "2 another signer": with(foreign, "0x01"),
        "3 another chain": with(foreign, "0x02"),
    });
    let ran = cairn_vm(&["statetest", "--json", Folder::new(&cases).path()]);
    let statuses: Vec<String> = ran
        .json()
        .iter()
        .map(|case| case["status"].to_string())
        .collect();
    assert!(
        statuses[0].contains("invalid: the transaction cannot be decoded"),
        "{statuses:?}"
    );
    assert!(
        statuses[1].contains(&format!("signed the transaction, not {SENDER}")),
        "{statuses:?}"
    );
    assert!(
        statuses[2].contains("names the chain 1, this is 2"),
        "{statuses:?}"
    );
}

#[test]
fn other_forks_do_not_count_and_blobs_are_skipped_visibly() {
    let mut older = fixture();
    older["post"] = json!({"Prague": older["post"]["Osaka"]});
    let mut blob = fixture();
    blob["transaction"]["blobVersionedHashes"] = json!([B256::ZERO]);
    let ran = cairn_vm(&[
        "statetest",
        Folder::new(&json!({"older": older, "blob": blob})).path(),
    ]);
    assert_eq!(
        ran.lines(),
        [
            "1 skipped: the machine has no blob transactions",
            "0 passed, 0 failed"
        ]
    );
    assert_eq!(ran.code, Some(0));
}

#[test]
fn a_run_without_a_case_fails() {
    let mut older = fixture();
    older["post"] = json!({"Prague": older["post"]["Osaka"]});
    for fixtures in [json!({}), json!({"older": older})] {
        let ran = cairn_vm(&["statetest", Folder::new(&fixtures).path()]);
        assert_eq!(
            (ran.stdout.as_str(), ran.code),
            ("0 passed, 0 failed\n", Some(1))
        );
        assert_eq!(
            ran.stderr,
            "cairn-vm: there is no case for the fork Osaka in what was read\n"
        );
    }
}

#[test]
fn a_trace_ends_with_the_summary() {
    let folder = Folder::new(
        &json!({"first case": fixture(), "second case": fixture(), "other": fixture()}),
    );
    for name in ["second case", "second"] {
        let ran = cairn_vm(&["statetest", "--trace", name, folder.path()]);
        let lines = ran.json();
        let names: Vec<&str> = lines
            .iter()
            .filter_map(|line| line["opName"].as_str())
            .collect();
        assert_eq!(names, ["PUSH1", "PUSH0", "SSTORE", "STOP"]);
        assert_eq!(lines[2]["gasCost"], format!("{:#x}", 22_100));
        let summary = json!({
            "stateRoot": ROOT, "output": "0x", "gasUsed": format!("{:#x}", 43_105), "pass": true, "fork": "Osaka",
            "status": "success", "name": "second case"
        });
        assert_eq!(lines[4], summary);
        assert_eq!(
            (ran.stderr.as_str(), ran.code),
            ("1 passed, 0 failed\n", Some(0))
        );
    }
    let ambiguous = cairn_vm(&["statetest", "--trace", "case", folder.path()]);
    assert_eq!(ambiguous.code, Some(1));
    assert!(
        ambiguous
            .stderr
            .starts_with("cairn-vm: 2 cases have case in their names, "),
        "{}",
        ambiguous.stderr
    );
    let unknown = cairn_vm(&["statetest", "--trace", "third", folder.path()]);
    assert_eq!(
        unknown.stderr,
        "cairn-vm: no case is named third or has that in its name\n"
    );
}

#[test]
fn a_path_that_is_not_there_and_a_file_that_is_no_fixture_are_failures() {
    let missing = cairn_vm(&["statetest", "/nowhere"]);
    assert_eq!((missing.stdout.as_str(), missing.code), ("", Some(1)));
    assert_eq!(
        missing.stderr,
        "cairn-vm: there is no file or folder /nowhere\n"
    );
    for text in ["{\"name\": {}}", "not json", "[]"] {
        let folder = Folder::new(&json!({"good": fixture()}));
        std::fs::write(folder.folder.path().join("odd.json"), text).unwrap();
        let ran = cairn_vm(&["statetest", folder.folder.path().to_str().unwrap()]);
        assert_eq!(
            (ran.stdout.as_str(), ran.code),
            ("1 passed, 0 failed\n", Some(1)),
            "{text}"
        );
        assert!(
            ran.stderr
                .contains("odd.json is not a state-test fixture: "),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.stderr.lines().count(), 1);
    }
}

#[test]
fn results_do_not_depend_on_threads_or_translation() {
    let folder =
        Folder::new(&json!({"a": fixture(), "b": changed("/transaction/nonce", json!("0x05"))}));
    for number in 1..5 {
        std::fs::copy(
            &folder.file,
            folder.folder.path().join(format!("{number}.json")),
        )
        .unwrap();
    }
    let path = folder.folder.path().to_str().unwrap();
    let all = cairn_vm(&["statetest", "--json", path]);
    for options in [
        &["--threads", "1"][..],
        &["--threads", "7"],
        &["--by-instruction"],
        &["--thorough"],
    ] {
        let other = cairn_vm(&[&["statetest", "--json", path], options].concat());
        assert_eq!(
            (other.stdout, other.code),
            (all.stdout.clone(), all.code),
            "{options:?}"
        );
    }
    assert_eq!(all.json().len(), 11);
}
