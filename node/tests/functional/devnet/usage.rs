//! What the scripts say of themselves, and of what they cannot do.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::network::{Devnet, NAMES};
use crate::harness::Running;

/// A devnet of five nodes that do not run: what the scripts look at before they do anything.
fn asleep() -> Devnet {
    let devnet = Devnet::none();
    for node in 1..=5 {
        let directory = devnet.directory().join(format!("node-{node}"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("rpc"), "127.0.0.1:1\n").unwrap();
    }
    let settings = "OPTIONS=x\nCHAIN=devnet\nWIRES=loopback\nNETEM=no\n";
    fs::write(devnet.directory().join("settings"), settings).unwrap();
    devnet
}

#[test]
fn every_script_explains_itself() {
    let devnet = Devnet::none();
    for name in NAMES {
        for option in ["--help", "-h"] {
            let help = devnet.run(name, &[option]).success();
            let example = format!("genesis/devnet/{name}");
            assert!(help.contains(&example), "{name} has no example: {help}");
        }
        let unknown = devnet.run(name, &["--nonsense"]);
        unknown.misused(&format!("{name} --help"));
    }
    assert!(!devnet.directory().exists(), "help leaves something behind");
}

#[test]
fn without_a_devnet_there_is_nothing_to_do() {
    let devnet = Devnet::none();
    let lines: [(&str, &[&str]); 8] = [
        ("status.sh", &[]),
        ("partition.sh", &["1"]),
        ("heal.sh", &[]),
        ("kill.sh", &["1"]),
        ("restart.sh", &["1"]),
        ("load.sh", &["--tps", "1"]),
        ("reorg.sh", &[]),
        ("reorg.sh", &["--loser", "2"]),
    ];
    for (script, arguments) in lines {
        devnet
            .run(script, arguments)
            .failed(1, "there is no devnet");
    }
    let down = devnet.run("down.sh", &[]).success();
    assert!(down.contains("There is no devnet"), "{down}");
    assert!(!devnet.directory().exists(), "something is left behind");
}

#[test]
fn wrong_arguments_are_named() {
    let devnet = asleep();
    let lines: [(&str, &[&str], &str); 29] = [
        ("up.sh", &["--nodes"], "--nodes needs a value"),
        ("up.sh", &["--nodes", "0"], "from 1 to 200, not '0'"),
        ("up.sh", &["--nodes", "many"], "not 'many'"),
        ("up.sh", &["--nodes", "08"], "not '08'"),
        ("up.sh", &["--miners", "4"], "4 miners among 3 nodes"),
        ("up.sh", &["--latency", "-1"], "--latency takes"),
        ("up.sh", &["--loss", "51"], "from 0 to 50"),
        ("up.sh", &["--mining-share", "101"], "from 1 to 100"),
        ("up.sh", &["5"], "unknown option '5'"),
        ("status.sh", &["--rpc"], "--rpc needs a value"),
        ("status.sh", &["--rpc", "6"], "no node 6"),
        ("partition.sh", &[], "at least one side"),
        ("partition.sh", &["1,"], "'1,' is no list"),
        ("partition.sh", &["1;2"], "'1;2' is no list"),
        ("partition.sh", &["6"], "no node 6; there are: 1 2 3 4 5"),
        ("partition.sh", &["1,2", "2,3"], "node 2 is named twice"),
        ("partition.sh", &["1,2,3,4,5"], "nothing is parted"),
        ("heal.sh", &["1"], "no arguments"),
        ("kill.sh", &[], "name the nodes"),
        ("kill.sh", &["1", "6"], "no node 6"),
        ("kill.sh", &["../1"], "'../1' is no number"),
        ("restart.sh", &[], "name the nodes"),
        ("restart.sh", &["201"], "from 1 to 200"),
        ("restart.sh", &["x"], "from 1 to 200, not 'x'"),
        ("load.sh", &[], "--tps N"),
        ("load.sh", &["--tps", "0"], "from 1 to 5000"),
        ("load.sh", &["--tps", "5", "--seconds", "x"], "not 'x'"),
        ("reorg.sh", &["--depth", "0"], "from 1 to 1000"),
        ("reorg.sh", &["--loser", "9"], "no node 9"),
    ];
    for (script, arguments, words) in lines {
        devnet.run(script, arguments).misused(words);
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let devnet = asleep();
    let lines: [(&str, &[&str], &str); 6] = [
        ("load.sh", &["--tps", "1"], "no node runs"),
        ("reorg.sh", &[], "no node runs"),
        ("heal.sh", &[], "no node runs"),
        ("partition.sh", &["1"], "no node runs"),
        ("up.sh", &["--nodes", "7"], "was made by: up.sh x"),
        (
            "up.sh",
            &["--bin-dir", "/nonexistent"],
            "no cairn and cairn-wallet in /nonexistent",
        ),
    ];
    for (script, arguments, words) in lines {
        devnet.run(script, arguments).failed(1, words);
    }
    let killed = devnet.run("kill.sh", &["1"]).success();
    assert!(killed.contains("Node 1 does not run"), "{killed}");
    let table = devnet.run("status.sh", &[]).success();
    assert_eq!(table.matches("stopped").count(), 5, "{table}");
}

#[test]
fn up_takes_nothing_that_is_not_its_own() {
    let devnet = Devnet::none();
    let with = |options: &[&str]| devnet.run("up.sh", &[&devnet.programs(), options].concat());
    fs::create_dir(devnet.directory()).unwrap();
    let file = devnet.directory().join("diary");
    fs::write(&file, "dear diary").unwrap();
    with(&[]).failed(1, "holds something else");
    let down = devnet.run("down.sh", &[]).success();
    assert!(down.contains("There is no devnet"), "{down}");
    assert!(file.exists(), "somebody's file is gone");
    fs::remove_file(file).unwrap();

    let chain = with(&["--chain", "/nonexistent.json", "--loopback"]);
    assert_eq!(chain.code, Some(1), "{chain:?}");
    assert!(chain.stderr.contains("/nonexistent.json"), "{chain:?}");
    let programs = devnet.run("up.sh", &["--bin-dir", "/nonexistent"]);
    assert!(
        programs.stderr.contains("no cairn and cairn-wallet in"),
        "{programs:?}"
    );
    let share = with(&["--nodes", "200", "--miners", "200", "--mining-share", "1"]);
    share.misused("too little for 200 miners");
    assert!(
        !devnet.directory().exists(),
        "what failed leaves something behind"
    );
}

/// Whoever lacks a program is told which.
#[test]
fn missing_programs_are_named() {
    let devnet = Devnet::none();
    let path = crate::harness::home();
    let found = |name: &str| {
        let directories = std::env::var_os("PATH").unwrap_or_default();
        let mut found = std::env::split_paths(&directories).map(|path| path.join(name));
        found
            .find(|file| file.exists())
            .expect("an ordinary program")
    };
    for name in ["bash", "dirname"] {
        symlink(found(name), Path::new(path.path()).join(name)).unwrap();
    }
    let mut command = devnet.command("up.sh");
    let ended = Running::start(command.env("PATH", path.path())).wait();
    ended.failed(1, "missing: curl sed grep sort");
}
