//! Disks that are full, directories that cannot be used, files that are damaged: one sentence, and
//! nothing is lost that was shown.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use alloy_primitives::Address;
use serde_json::json;

use crate::harness::{
    Failure, Node, Rpc, Told, Transfer, cairn, clean, hash, home, native, node_command, number,
    snapshot,
};

const SHOP: Address = Address::repeat_byte(0xbb);

/// Says so past the test harness, which swallows what a passing test prints.
fn skipped(what: &str) {
    // A closed stderr reads nothing.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

fn pay(rpc: &Rpc, told: &mut Told) -> Result<(), Failure> {
    let payer = native(0);
    let nonce = rpc.ask("eth_getTransactionCount", json!([payer.address, "pending"]))?;
    let payment = payer.pay(Transfer::new(SHOP, 1, number(&nonce)));
    let sent = rpc.ask("eth_sendRawTransaction", json!([payment.envelope()]))?;
    told.accepted.insert(hash(&sent));
    let receipt = rpc.ask("eth_getTransactionReceipt", json!([sent]))?;
    if !receipt.is_null() {
        told.block(number(&receipt["blockNumber"]), hash(&receipt["blockHash"]));
        told.receipts.insert(payment.hash(), receipt);
    }
    Ok(())
}

fn check_database(data: &Path) {
    let data = data.to_str().unwrap();
    let checked = cairn(&["db", "check", "--chain", "dev", "--datadir", data]);
    assert!(checked.success().starts_with("ok: "));
}

/// A file system in memory, so small that it is full soon.
struct SmallDisk {
    directory: tempfile::TempDir,
}

impl SmallDisk {
    /// `None` where this process may not mount anything.
    fn mount() -> Option<Self> {
        let directory = home();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=16m", "cairn-test"])
            .arg(directory.path());
        let mounted = mount.output().is_ok_and(|mounted| mounted.status.success());
        mounted.then_some(Self { directory })
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn ballast(&self) -> PathBuf {
        self.directory.path().join("ballast")
    }

    /// Leaves not a byte.
    fn fill(&self) {
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(self.ballast())
            .unwrap();
        while ballast.write_all(&[0; 512]).is_ok() {}
    }

    fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What is left of it is told by the directory that cannot be removed.
        let _ = Command::new("umount").arg(self.directory.path()).output();
    }
}

#[test]
fn a_full_disk_stops_the_node_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount() else {
        return skipped("a full disk: mounting a small one takes root");
    };
    let mut told = Told::default();
    let words = format!(
        "no space left on the disk that holds {}",
        disk.data().display()
    );
    let node = Node::start(&disk.data(), &["dev"]);
    for _ in 0..5 {
        pay(node.rpc(), &mut told).unwrap();
    }
    disk.fill();
    while pay(node.rpc(), &mut told).is_ok() {}
    let ended = node.wait();
    ended.failed(1, &words);
    ended.failed(1, "free some and start again");
    told.log(&ended.stdout);

    // What the process had reserved is free again.
    disk.fill();
    Node::refuses(&disk.data(), &["dev"]).failed(1, &words);
    disk.free();
    let node = Node::start(&disk.data(), &["dev"]);
    told.check(node.rpc());
    for transaction in told.waiting() {
        node.rpc().mined(*transaction);
    }
    pay(node.rpc(), &mut told).unwrap();
    node.stop();
    check_database(&disk.data());
}

/// The command under a limit on the size of files, at which a write fails as on a full disk.
fn limited(command: &Command, blocks: u32) -> Command {
    let mut shell = clean("/bin/sh", Path::new("/nonexistent"));
    // The signal that the kernel sends as well would end the process.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    shell
        .args(["-c", &script, "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    shell
}

#[test]
fn a_write_that_fails_stops_the_node_and_loses_nothing() {
    let home = home();
    let arguments = ["run", "--chain", "dev", "--mine"];
    let command = node_command(home.path(), &arguments);
    let node = Node::serve(&mut limited(&command, 2_048)).unwrap();
    let mut told = Told::default();
    while pay(node.rpc(), &mut told).is_ok() {}
    let ended = node.wait();
    ended.failed(1, "File too large");
    ended.failed(1, "start again");
    told.log(&ended.stdout);
    assert!(told.next_height() > 1, "it ran until then");

    let node = Node::start(home.path(), &["run", "--chain", "dev"]);
    told.check(node.rpc());
    node.stop();
    check_database(home.path());
}

#[test]
fn what_is_no_directory_is_refused() {
    let home = home();
    let file = home.path().join("file");
    fs::write(&file, "precious").unwrap();
    for data in [file.clone(), file.join("below")] {
        let refused = Node::refuses(&data, &["dev"]);
        refused.failed(1, data.to_str().unwrap());
        refused.failed(1, "a file is in its place");
        refused.failed(1, "--datadir");
    }
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    for command in ["check", "stats"] {
        let data = file.to_str().unwrap();
        cairn(&["db", command, "--datadir", data]).failed(1, "there is no database in");
    }
}

/// A node without the right of root to write everywhere.
fn unprivileged(data: &Path) -> Command {
    let command = node_command(data, &["dev"]);
    let mut setpriv = clean("setpriv", Path::new("/nonexistent"));
    setpriv
        .arg("--bounding-set=-all")
        .arg(command.get_program())
        .args(command.get_args());
    setpriv
}

fn set_mode(directory: &Path, mode: u32) {
    fs::set_permissions(directory, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_directory_that_may_not_be_written_is_refused() {
    let home = home();
    let data = home.path().join("data");
    Node::start(&data, &["dev"]).stop();
    let closed = [data.as_path(), &data.join("db"), home.path()];
    closed
        .iter()
        .for_each(|directory| set_mode(directory, 0o555));
    let may_write = fs::write(data.join("probe"), "").is_ok();
    if may_write && Command::new("setpriv").arg("--version").output().is_err() {
        return skipped("a directory that may not be written: root needs `setpriv` for that");
    }
    for data in [&data, &home.path().join("new")] {
        let refused = match may_write {
            true => Node::serve(&mut unprivileged(data)),
            false => Node::try_start(data, &["dev"]),
        };
        let Err(refused) = refused else {
            panic!("the node runs");
        };
        let words = format!("cannot use the data directory {}", data.display());
        refused.failed(1, &words);
        refused.failed(1, "--datadir");
    }
    closed
        .iter()
        .for_each(|directory| set_mode(directory, 0o755));
    Node::start(&data, &["dev"]).stop();
    check_database(&data);
}

/// Files of the database whose names end, or begin, so.
fn files(data: &Path, name: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = snapshot(&data.join("db")).into_keys().collect();
    files.retain(|path| {
        let found = path.file_name().unwrap().to_str().unwrap();
        found.starts_with(name) || found.ends_with(name)
    });
    assert!(!files.is_empty(), "there is no {name}");
    files
}

/// What a damage makes of the bytes of a file; `None` removes it.
type Damage = fn(Vec<u8>) -> Option<Vec<u8>>;

fn flip(mut bytes: Vec<u8>, at: usize) -> Option<Vec<u8>> {
    bytes[at] ^= 0x10;
    Some(bytes)
}

const DAMAGES: [(&str, Damage); 9] = [
    ("CURRENT", |_| None),
    ("CURRENT", |_| Some(vec![])),
    ("CURRENT", |_| Some(b"MANIFEST-999999\n".to_vec())),
    ("MANIFEST-", |_| None),
    ("MANIFEST-", |bytes| {
        let middle = bytes.len() / 2;
        flip(bytes, middle)
    }),
    (".sst", |_| None),
    (".sst", |bytes| Some(bytes[1..].to_vec())),
    (".sst", |bytes| {
        let middle = bytes.len() / 2;
        flip(bytes, middle)
    }),
    // In the data, which nobody reads before it is asked for.
    (".sst", |bytes| flip(bytes, 16)),
];

#[test]
fn damaged_files_are_noticed_and_left_as_they_are() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let mut told = Told::default();
    for _ in 0..3 {
        pay(node.rpc(), &mut told).unwrap();
    }
    node.stop();
    // This start moves what the first one logged into tables.
    Node::start(home.path(), &["dev"]).stop();
    for (name, damage) in DAMAGES {
        let files = files(home.path(), name);
        let whole: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
        for (file, bytes) in files.iter().zip(&whole) {
            match damage(bytes.clone()) {
                Some(bytes) => fs::write(file, bytes).unwrap(),
                None => fs::remove_file(file).unwrap(),
            }
        }
        refuses_damaged(home.path());
        for (file, bytes) in files.iter().zip(&whole) {
            fs::write(file, bytes).unwrap();
        }
        check_database(home.path());
    }
    let node = Node::start(home.path(), &["dev"]);
    told.check(node.rpc());
    node.stop();
}

fn refuses_damaged(data: &Path) {
    let before = snapshot(data);
    let words = "the database is damaged: ";
    Node::refuses(data, &["dev"]).failed(1, words);
    for command in ["check", "stats"] {
        let checked = cairn(&[
            "db",
            command,
            "--chain",
            "dev",
            "--datadir",
            data.to_str().unwrap(),
        ]);
        checked.failed(1, words);
        checked.failed(1, "put back a copy of the data directory");
    }
    assert_eq!(snapshot(data), before, "a damage is not made worse");
}
