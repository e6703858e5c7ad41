//! Scripts that were interrupted, and those that come after them.

use std::fs;

use super::network::Devnet;

/// A node whose start was interrupted has no name yet: nobody waits for it, and it can be
/// started again.
#[test]
fn half_a_start_is_undone_by_the_next_script() {
    let (devnet, _) = Devnet::up(&["--nodes", "3", "--loopback"]);
    fs::remove_file(devnet.directory().join("node-3/id")).expect("it has a name");
    devnet.run("heal.sh", &[]).success();
    assert_eq!(devnet.each("state"), ["running", "running", "stopped"]);
    devnet.run("restart.sh", &["3"]).success();
    devnet.connected(&[2, 2, 2]);
    devnet.down();
}
