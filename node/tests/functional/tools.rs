//! The commands that run no node: `cairn db`, `cairn spec`; the help; and how wrong usage ends.

use std::fs::{self, File};
use std::path::Path;

use alloy_primitives::{Address, U256};
use cairn_genesis::ChainSpec;
use cairn_node::store::Column;
use serde_json::json;

use crate::harness::{
    Node, Running, Transfer, cairn, cairn_command, cairn_in, hash, home, http, native, number,
    parsed, secp256k1, text,
};

const SHOP: Address = Address::repeat_byte(0xbb);
const MINER: &str = "0x00000000000000000000000000000000000000a1";

/// Makes a database of `dev` with a block for each of three payments.
fn make_database(data: &Path) {
    let node = Node::start(data, &["dev"]);
    for nonce in 0..3 {
        node.rpc()
            .send_and_mine(&native(0).pay(Transfer::new(SHOP, 1, nonce)));
    }
    node.stop();
}

#[test]
fn db_check_counts_what_it_checked() {
    let home = home();
    // Where it is looked for if nothing else is said.
    let data = home.path().join(".cairn/dev");
    let nothing = cairn_in(home.path(), &["db", "check", "--chain", "dev"]);
    nothing.failed(1, &format!("there is no database in {}", data.display()));
    make_database(&data);

    let in_words = cairn_in(home.path(), &["db", "check", "--chain", "dev"]);
    assert_eq!(in_words.stderr, "");
    let accounts = ChainSpec::builtin("dev").unwrap().alloc.len() + 1;
    let expected = format!(
        "ok: 4 blocks up to height 3, 3 transactions, {accounts} accounts, 3 storage words; \
         state root and supply recomputed"
    );
    assert_eq!(in_words.success(), expected);

    let at = data.to_str().unwrap();
    let in_json = cairn(&["db", "check", "--json", "--chain", "dev", "--datadir", at]);
    let expected = json!({
        "height": 3, "blocks": 4, "transactions": 3, "accounts": accounts, "slots": 3,
    });
    assert_eq!(parsed(in_json), expected);
    // The chain is `devnet` unless another one is named.
    cairn(&["db", "check", "--datadir", at]).failed(1, "holds chain");
}

#[test]
fn db_stats_lists_every_column() {
    let home = home();
    make_database(home.path());
    let data = home.path().to_str().unwrap();
    let mut command = cairn_command(home.path(), &["db", "stats", "--json"]);
    command.env("CAIRN_CHAIN", "dev").env("CAIRN_DATADIR", data);
    let columns = parsed(Running::start(&mut command).wait());
    let names: Vec<_> = columns.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, Column::ALL.map(Column::name));
    assert_eq!(columns["headers"]["keys"], 4);
    assert_eq!(columns["tx_index"]["keys"], 3);
    let disk_bytes = |name: &str| columns[name]["disk_bytes"].as_u64().unwrap();
    assert!(
        disk_bytes("accounts") > 0 && disk_bytes("trie") > 0,
        "{columns}"
    );

    let table = cairn(&["db", "stats", "--chain", "dev", "--datadir", data]).success();
    let rows: Vec<Vec<_>> = table
        .lines()
        .map(|row| row.split_whitespace().collect())
        .collect();
    assert_eq!(rows.len(), 1 + Column::ALL.len(), "{table}");
    for (row, column) in rows[1..].iter().zip(Column::ALL) {
        assert_eq!((row[0], row.len()), (column.name(), 4));
        assert_eq!(row[1], columns[column.name()]["keys"].to_string());
    }
}

#[test]
fn spec_list_and_show_tell_of_the_built_in_chains() {
    let listed = parsed(cairn(&["spec", "list", "--json"]));
    let table = cairn(&["spec", "list"]).success();
    assert_eq!(
        listed.as_array().unwrap().len(),
        ChainSpec::builtin_names().len()
    );
    for (name, row) in ChainSpec::builtin_names()
        .iter()
        .zip(listed.as_array().unwrap())
    {
        let spec = ChainSpec::builtin(name).unwrap();
        let genesis = spec.genesis_hash();
        let expected = json!({
            "name": name, "chainId": spec.chain_id, "genesisHash": genesis, "spacing": spec.spacing,
        });
        assert_eq!(*row, expected);
        let row = table.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(row.contains(&genesis.to_string()) && row.contains(&spec.chain_id.to_string()));

        let shown = cairn(&["spec", "show", name]).success();
        assert_eq!(ChainSpec::from_json(&shown).unwrap(), *spec);
    }
    cairn(&["spec", "show", "mainnet"]).failed(1, "there is no chain `mainnet`");
}

/// Makes a spec, shows it, and runs it.
#[test]
fn a_chain_of_ones_own_is_made_shown_and_run() {
    let home = home();
    let payer = secp256k1(0);
    let fund = format!("{}=2.5", payer.address);
    let arguments = [
        "spec",
        "new",
        "ours",
        "--chain-id",
        "4242",
        "--from",
        "dev",
        "--fund",
        &fund,
    ];
    let mut command = cairn_command(home.path(), &arguments);
    let told = Running::start(command.current_dir(home.path()))
        .wait()
        .success();
    let file = home.path().join("ours.json");
    let spec = ChainSpec::from_json(&fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!((spec.name.as_str(), spec.chain_id), ("ours", 4242));
    let [first, next] = told.lines().collect::<Vec<_>>()[..] else {
        panic!("{told}");
    };
    assert_eq!(
        first,
        format!("wrote ours.json; genesis {}", spec.genesis_hash())
    );
    assert!(
        next.contains("cairn run --chain ours.json --mine"),
        "{next}"
    );

    let file = file.to_str().unwrap();
    let shown = cairn(&["spec", "show", file]).success();
    assert_eq!(ChainSpec::from_json(&shown).unwrap(), spec);
    assert_eq!(format!("{shown}\n"), fs::read_to_string(file).unwrap());
    let again = [&arguments[..], &["--out", file]].concat();
    let before = fs::read(file).unwrap();
    let refused = cairn(&again);
    refused.failed(1, &format!("cannot write {file}"));
    refused.failed(1, "name another file with --out FILE");
    assert_eq!(
        fs::read(file).unwrap(),
        before,
        "a spec is never overwritten"
    );

    let data = home.path().join("data");
    let run = [
        "run",
        "--chain",
        file,
        "--mine=on-transaction",
        "--mine-to",
        MINER,
    ];
    let node = Node::start(&data, &run);
    let info = node.rpc().call("cairn_nodeInfo", json!([]));
    assert_eq!(
        (&info["chain"], number(&info["chainId"])),
        (&json!("ours"), 4242)
    );
    assert_eq!(hash(&info["genesisHash"]), spec.genesis_hash());
    let funds = U256::from(2_500_000_000_000_000_000_u64);
    assert_eq!(node.rpc().balance(payer.address, "latest"), funds);
    assert_eq!(
        node.rpc().balance(native(0).address, "latest"),
        U256::ZERO,
        "all others are gone"
    );
    let payment = Transfer {
        chain_id: 4242,
        ..Transfer::new(SHOP, 7, 0)
    };
    assert_eq!(
        node.rpc().send_and_mine(&payer.pay(payment))["status"],
        "0x1"
    );
    node.stop();
    let data = data.to_str().unwrap();
    let checked = cairn(&["db", "check", "--chain", file, "--datadir", data]).success();
    assert!(
        checked.starts_with("ok: 2 blocks up to height 1, 1 transactions"),
        "{checked}"
    );
}

#[test]
fn a_spec_that_cannot_be_is_not_made() {
    let home = home();
    let file = home.path().join("new.json");
    let out = ["--out", file.to_str().unwrap()];
    let new = |arguments: &[&str]| cairn(&[&["spec", "new"], arguments, &out].concat());
    new(&["My Chain", "--chain-id", "5"]).misused("`name`");
    new(&["ours", "--chain-id", "0"]).misused("at least 1");
    new(&["ours", "--chain-id", "18446744073709551615"]).misused("`chain_id`");
    new(&["devnet", "--chain-id", "5"]).misused("a built-in chain has this name");
    new(&["ours", "--chain-id", "31337"]).misused("the built-in chain `dev` has this chain id");
    new(&["ours", "--chain-id", "5", "--from", "mainnet"]).failed(1, "no chain `mainnet`");
    for fund in [
        "0x12=1",
        MINER,
        "0x00000000000000000000000000000000000000a1=much",
        "=1",
    ] {
        new(&["ours", "--chain-id", "5", "--fund", fund]).misused("write ADDRESS=AMOUNT");
    }
    let [one, two] = [1, 2].map(|coins| format!("{MINER}={coins}"));
    let twice = ["ours", "--chain-id", "5", "--fund", &one, "--fund", &two];
    new(&twice).misused("twice: give each address one amount");
    new(&["ours"]).misused("--chain-id <ID>");
    new(&["ours", "--chain-id", "five"])
        .misused("invalid value 'five' for '--chain-id <ID>': write a whole number");
    assert!(!file.exists());
}

/// Every option of `run` has a variable.
#[test]
fn variables_stand_for_options() {
    let home = home();
    let peer = "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWPNVQ3CcyZeh6UXBAjSGtUA2St6EBBvyGyF8wBJd2BeUH";
    let mut command = cairn_command(home.path(), &["run"]);
    command.env("CAIRN_DATADIR", home.path().join("elsewhere"));
    for (variable, value) in [
        ("CAIRN_CHAIN", "testnet"),
        ("CAIRN_MINE", "interval:3600"),
        ("CAIRN_MINE_TO", MINER),
        ("CAIRN_MINE_SHARE", "50"),
        ("CAIRN_THREADS", "1"),
        ("CAIRN_RPC_LISTEN", "127.0.0.1:0"),
        ("CAIRN_RPC_CORS", "https://app.example"),
        ("CAIRN_RPC_HOSTS", "node.example"),
        ("CAIRN_P2P_LISTEN", "127.0.0.1:0"),
        ("CAIRN_PEERS", peer),
        ("CAIRN_ONLY_PEERS", "true"),
        ("CAIRN_MAX_PEERS", "3"),
        ("CAIRN_NO_MDNS", "1"),
        ("CAIRN_LINK_LATENCY", "20"),
        ("CAIRN_LINK_LOSS", "1"),
        ("CAIRN_NO_P2P", "false"),
        ("CAIRN_LOG_FORMAT", "json"),
        ("CAIRN_LOG", "info"),
    ] {
        command.env(variable, value);
    }
    let node = Node::serve(&mut command).unwrap();
    let info = node.rpc().call("cairn_nodeInfo", json!([]));
    assert_eq!(
        (&info["chain"], &info["mining"]["mode"]),
        (&json!("testnet"), &json!("interval"))
    );
    assert_eq!(info["mining"]["threads"], "0x1");
    assert_eq!(text(&node.rpc().call("eth_coinbase", json!([]))), MINER);
    let network = node.rpc().call("admin_nodeInfo", json!([]));
    assert_eq!(network["maxPeers"], 3);
    assert!(peer.ends_with(network["onlyPeers"][0].as_str().unwrap()));
    let status = |headers: &[&str]| {
        let answer = http(node.address(), "POST", headers, "{}");
        answer[..answer.find("\r\n").unwrap()].to_owned()
    };
    let json = "Content-Type: application/json";
    let allowed = ["Host: node.example", "Origin: https://app.example", json];
    assert_eq!(status(&allowed), "HTTP/1.1 200 OK");
    assert_eq!(
        status(&["Host: other.example", json]),
        "HTTP/1.1 403 Forbidden"
    );
    assert_eq!(
        status(&["Host: localhost", "Origin: https://other.example", json]),
        "HTTP/1.1 403 Forbidden"
    );
    node.stop();
    assert!(home.path().join("elsewhere/db").exists());
}

#[test]
fn a_wrong_variable_is_named() {
    let home = home();
    for (value, words) in [
        ("x", "write a whole number from 1 to 1024"),
        ("", "--threads"),
    ] {
        let mut command = cairn_command(home.path(), &["run"]);
        command.env("CAIRN_THREADS", value);
        let ended = Running::start(&mut command).wait();
        ended.misused(words);
        ended.misused("the value is that of the variable CAIRN_THREADS");
    }
}

#[test]
fn help_names_every_command_option_and_variable() {
    let options_of_nodes = "--datadir CAIRN_DATADIR --mine-to CAIRN_MINE_TO --threads CAIRN_THREADS \
        --mine-share CAIRN_MINE_SHARE --rpc CAIRN_RPC_LISTEN --rpc-cors CAIRN_RPC_CORS --rpc-hosts \
        CAIRN_RPC_HOSTS --p2p CAIRN_P2P_LISTEN --peer CAIRN_PEERS --only-peers CAIRN_ONLY_PEERS \
        --max-peers CAIRN_MAX_PEERS --no-p2p CAIRN_NO_P2P --no-mdns CAIRN_NO_MDNS --link-latency \
        CAIRN_LINK_LATENCY --link-loss CAIRN_LINK_LOSS --log-format CAIRN_LOG_FORMAT --log CAIRN_LOG human json 127.0.0.1:8545";
    let database = "--chain CAIRN_CHAIN --datadir CAIRN_DATADIR --json ~/.cairn/";
    for (command, words) in [
        (
            "",
            "run dev db spec peer help --version First Exit cairn-wallet",
        ),
        (
            "run",
            "--chain CAIRN_CHAIN --mine CAIRN_MINE continuous on-transaction interval:SECONDS off",
        ),
        ("run", options_of_nodes),
        ("dev", "--block-time CAIRN_BLOCK_TIME"),
        ("dev", options_of_nodes),
        (
            "peer",
            "list why add remove bans unban --rpc CAIRN_RPC --json",
        ),
        ("peer why", "<MULTIADDR> --rpc CAIRN_RPC --json"),
        ("db", "check stats"),
        ("db check", database),
        ("db stats", database),
        ("spec", "list show new"),
        ("spec list", "--json"),
        ("spec show", "<CHAIN>"),
        (
            "spec new",
            "<NAME> --chain-id --from --fund --out ADDRESS=AMOUNT <name>.json",
        ),
    ] {
        let line: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
        let help = cairn(&line).success();
        for word in words.split_whitespace() {
            assert!(
                help.contains(word),
                "\"{word}\" is not in the help of `cairn {command}`: {help}"
            );
        }
    }
    let version = cairn(&["--version"]).success();
    assert_eq!(version, format!("cairn {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_ends_with_2() {
    for (line, words) in [
        (&[][..], "Usage: cairn"),
        (&["mine"], "unrecognized subcommand 'mine'"),
        (&["db"], "Usage: cairn db"),
        (&["db", "repair"], "unrecognized subcommand 'repair'"),
        (&["db", "check", "--datadir"], "--datadir"),
        (&["db", "check", "dev"], "unexpected argument 'dev'"),
        (&["spec"], "Usage: cairn spec"),
        (&["spec", "show"], "<CHAIN>"),
        (
            &["spec", "show", "dev", "devnet"],
            "unexpected argument 'devnet'",
        ),
        (&["spec", "list", "--jsn"], "--json"),
        (&["run", "devnet"], "unexpected argument 'devnet'"),
    ] {
        let ended = cairn(line);
        ended.misused(words);
        assert_eq!(ended.stdout, "", "{ended:?}");
    }
}

/// `cairn spec show devnet | head -1` is not an accident, `… > /dev/full` is one that is told.
#[test]
fn results_that_nobody_takes() {
    let home = home();
    make_database(home.path());
    let data = home.path().to_str().unwrap();
    for line in [
        &["spec", "list"][..],
        &["spec", "show", "devnet"],
        &["db", "check", "--chain", "dev", "--datadir", data],
        &["db", "stats", "--json", "--chain", "dev", "--datadir", data],
        &["--help"],
    ] {
        let mut command = cairn_command(home.path(), line);
        assert_eq!(
            Running::start_unheard(&mut command).wait().code,
            Some(0),
            "{line:?}"
        );
    }
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = cairn_command(home.path(), &["spec", "list"]);
    let ended = command.stdout(full).output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with("error: cannot write the result: No space left"),
        "{said}"
    );
}
