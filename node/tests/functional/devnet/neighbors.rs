//! Several devnets on one machine, and several names of one.

use super::network::{Devnet, namespaces_can_be_had};
use crate::harness::{Running, parsed};

/// What one devnet gave back, another may have taken.
#[test]
fn nobody_takes_away_what_is_not_his_own() {
    if !namespaces_can_be_had() {
        return;
    }
    let (first, _) = Devnet::up(&["--nodes", "1", "--miners", "0"]);
    first.run("down.sh", &["--keep"]).success();
    assert_eq!(first.switch(), None, "namespaces are given back");
    let (second, _) = Devnet::up(&["--nodes", "1", "--miners", "0"]);

    first.run("up.sh", &[]).success();
    assert_ne!(first.switch(), second.switch());
    for devnet in [&first, &second] {
        assert_eq!(devnet.rpc(1).height(), 0, "each answers");
    }
    first.run("down.sh", &["--keep"]).success();
    first.down();
    assert_eq!(second.rpc(1).height(), 0, "the other one is untouched");
    second.down();
}

/// Whoever spells the directory in another way means the same nodes.
#[test]
fn a_directory_has_many_names() {
    let (devnet, _) = Devnet::up(&["--nodes", "1", "--miners", "0", "--loopback"]);
    let directory = devnet.directory();
    let home = directory.parent().expect("it lies in a home");
    let slash = format!("{}/", directory.display());
    for name in [slash.as_str(), "devnet", "./devnet", "devnet/node-1/.."] {
        let run = |script: &str, arguments: &[&str]| {
            let mut command = devnet.command(script);
            command.current_dir(home).env("CAIRN_DEVNET_DIR", name);
            Running::start(command.args(arguments)).wait()
        };
        let status = parsed(run("status.sh", &["--json"]));
        assert_eq!(status["nodes"][0]["state"], "running", "{name}");
        let again = run("up.sh", &[]).success();
        assert!(again.contains("runs already"), "{name}: {again}");
    }
    devnet.down();
}
