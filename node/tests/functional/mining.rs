//! Each mining mode; and that a block in JSON is the block that its hash commits to.

use alloy_primitives::{Address, B256, Bytes, U256, address, b256, keccak256};
use cairn_genesis::{ChainSpec, Header, Target};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{
    Node, Rpc, Transfer, block_at, hash, home, native, number, secp256k1, text, wait_for, wei,
};

const MINER: Address = address!("00000000000000000000000000000000000000a1");

/// keccak256(rlp([])): no uncles.
const NO_UNCLES: B256 = b256!("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");

fn sha256d(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(bytes)).into()
}

fn reversed(mut hash: [u8; 32]) -> B256 {
    hash.reverse();
    hash.into()
}

fn bytes(value: &Value) -> Bytes {
    text(value).parse().unwrap()
}

/// The ledger's header, from what RPC says.
fn header(block: &Value) -> Header {
    Header {
        parent_hash: hash(&block["parentHash"]),
        number: number(&block["number"]),
        timestamp: number(&block["timestamp"]),
        bits: number(&block["bits"]).try_into().unwrap(),
        beneficiary: text(&block["miner"]).parse().unwrap(),
        state_root: hash(&block["stateRoot"]),
        transactions_root: hash(&block["transactionsRoot"]),
        receipts_root: hash(&block["receiptsRoot"]),
        gas_limit: number(&block["gasLimit"]),
        gas_used: number(&block["gasUsed"]),
        base_fee: number(&block["baseFeePerGas"]),
        extra: bytes(&block["extraData"]),
    }
}

/// The coinbase that carries `header`'s commitment, laid out by hand for heights below 128.
fn coinbase(header: &Header, extranonce: &[u8]) -> Vec<u8> {
    let height = u8::try_from(header.number).unwrap();
    assert!(height < 0x80, "one byte of height");
    let mut coinbase = vec![1, 0, 0, 0, 1];
    coinbase.extend([0; 32]);
    coinbase.extend([0xff, 0xff, 0xff, 0xff, 2 + 13, 1, height, 12]);
    coinbase.extend(extranonce);
    coinbase.extend([0xff, 0xff, 0xff, 0xff, 2]);
    coinbase.extend([0; 8]);
    coinbase.extend([0x26, 0x6a, 0x24]);
    coinbase.extend(b"CRN1");
    coinbase.extend(header.commitment());
    coinbase.extend([0; 8]);
    coinbase.extend([0x16, 0x00, 0x14]);
    coinbase.extend(header.beneficiary);
    coinbase.extend([0; 4]);
    coinbase
}

/// The 80 bytes hold what the rest of the block says, and their SHA-256d is its hash.
fn check_seal(block: &Value) {
    let header = header(block);
    let seal = &block["seal"];
    let sealed = bytes(&block["powHeader"]);
    assert_eq!(sealed.len(), 80);
    let word = |at: usize| u64::from(u32::from_le_bytes(sealed[at..at + 4].try_into().unwrap()));
    assert_eq!(word(0), number(&seal["version"]));
    assert_eq!(word(0) & 0xe000_1fff, 0x2000_0000);
    let parent: [u8; 32] = sealed[4..36].try_into().unwrap();
    assert_eq!(reversed(parent), header.parent_hash);
    let coinbase = coinbase(&header, &bytes(&seal["extranonce"]));
    assert_eq!(
        sealed[36..68],
        sha256d(&coinbase),
        "the coinbase commits to the ledger"
    );
    assert_eq!(word(68), number(&seal["time"]));
    assert!((header.timestamp..=header.timestamp + 600).contains(&word(68)));
    assert_eq!(word(72), u64::from(header.bits));
    assert_eq!(word(76), number(&seal["nonce"]));
    let nonce: u64 = u64::from_str_radix(&text(&block["nonce"])[2..], 16).unwrap();
    assert_eq!((text(&block["nonce"]).len(), nonce), (18, word(76)));
    assert_eq!(reversed(sha256d(&sealed)), hash(&block["hash"]));
    let target = Target::from_bits(header.bits).unwrap();
    assert!(target.is_met_by(hash(&block["hash"])), "the work was done");
}

/// Every field that tools look at, against the parent.
fn check_link(block: &Value, parent: &Value) {
    let bits = number(&block["bits"]).try_into().unwrap();
    let difficulty = Target::from_bits(bits).unwrap().work();
    assert_eq!(block["parentHash"], parent["hash"]);
    assert_eq!(number(&block["number"]), number(&parent["number"]) + 1);
    assert!(number(&block["timestamp"]) > number(&parent["timestamp"]));
    assert_eq!(wei(&block["difficulty"]), difficulty);
    let total = wei(&parent["totalDifficulty"]) + difficulty;
    assert_eq!(wei(&block["totalDifficulty"]), total, "work adds up");
    assert_eq!(hash(&block["mixHash"]), keccak256(hash(&parent["hash"])));
    assert_eq!(hash(&block["sha3Uncles"]), NO_UNCLES);
    assert_eq!(block["uncles"], json!([]));
    assert_eq!(bytes(&block["logsBloom"]).len(), 256);
    assert!(bytes(&block["extraData"]).len() <= 32);
    assert_eq!(block["gasLimit"], parent["gasLimit"]);
    // EIP-1559 with a target of half the limit.
    let (fee, used) = (number(&parent["baseFeePerGas"]), number(&parent["gasUsed"]));
    let target = number(&parent["gasLimit"]) / 2;
    assert!(used < target, "these blocks are nearly empty");
    let less = u128::from(fee) * u128::from(target - used) / u128::from(target) / 8;
    let expected = fee - u64::try_from(less).unwrap();
    assert_eq!(number(&block["baseFeePerGas"]), expected);
    assert!(number(&block["size"]) > 0);
}

fn check_chain(rpc: &Rpc, height: u64) {
    let blocks: Vec<_> = (0..=height).map(|at| rpc.block(block_at(at))).collect();
    for pair in blocks.windows(2) {
        check_link(&pair[1], &pair[0]);
        check_seal(&pair[1]);
        let by_hash = rpc.call("eth_getBlockByHash", json!([pair[1]["hash"], false]));
        assert_eq!(by_hash, pair[1]);
    }
}

#[test]
fn devnet_mines_without_pause_and_its_blocks_are_what_they_say() {
    let home = home();
    let to = MINER.to_string();
    let arguments = ["run", "--chain", "devnet", "--mine", "--mine-to", &to];
    let node = Node::start(home.path(), &arguments);
    let rpc = node.rpc();
    let height = wait_for("ten blocks", || {
        Some(rpc.height()).filter(|height| *height >= 10)
    });
    check_chain(rpc, height);

    let genesis = rpc.block("earliest");
    let spec = ChainSpec::builtin("devnet").unwrap();
    assert_eq!(hash(&genesis["hash"]), spec.genesis_hash());
    let work = Target::from_bits(spec.genesis_bits()).unwrap().work();
    assert_eq!(wei(&genesis["totalDifficulty"]), work);

    assert_eq!(rpc.call("eth_mining", json!([])), true);
    assert_eq!(
        text(&rpc.call("eth_coinbase", json!([]))),
        to.to_lowercase()
    );
    wait_for("a hash rate", || {
        let rate = number(&rpc.call("eth_hashrate", json!([])));
        (rate > 0).then_some(())
    });
    let reward = U256::from(2_000_000_000_000_000_000_u64);
    let earned = rpc.balance(MINER, block_at(height));
    assert_eq!(
        earned,
        reward * U256::from(height),
        "two coins for each block"
    );
    let info = rpc.call("cairn_nodeInfo", json!([]));
    assert_eq!(info["mining"]["mode"], "continuous");
    assert_eq!(number(&info["chainId"]), 31338);
    node.stop();
}

#[test]
fn dev_mines_one_block_for_each_transaction() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let rpc = node.rpc();
    for nonce in 0..5 {
        let payer = native(0);
        let receipt = rpc.send_and_mine(&payer.pay(Transfer::new(MINER, 1, nonce)));
        assert_eq!(number(&receipt["blockNumber"]), nonce + 1);
        assert_eq!(rpc.height(), nonce + 1, "no block but for a transaction");
    }
    check_chain(rpc, 5);
    wait_for("a miner with nothing to mine", || {
        (rpc.call("eth_mining", json!([])) == false).then_some(())
    });
    let info = rpc.call("cairn_nodeInfo", json!([]));
    assert_eq!(info["mining"]["mode"], "on-transaction");
}

#[test]
fn an_interval_gives_blocks_with_and_without_transactions() {
    let home = home();
    let node = Node::start(home.path(), &["dev", "--block-time", "1"]);
    let rpc = node.rpc();
    let info = rpc.call("cairn_nodeInfo", json!([]));
    assert_eq!(info["mining"]["mode"], "interval");
    wait_for("two empty blocks", || (rpc.height() >= 2).then_some(()));
    let receipt = rpc.send_and_mine(&secp256k1(0).pay(Transfer::new(MINER, 1, 0)));
    let after = number(&receipt["blockNumber"]) + 1;
    wait_for("one more block", || (rpc.height() >= after).then_some(()));
    check_chain(rpc, after);
    assert_eq!(rpc.block(block_at(1))["transactions"], json!([]));
    assert_eq!(
        rpc.block(receipt["blockNumber"].clone())["transactions"],
        json!([receipt["transactionHash"]])
    );
}

#[test]
fn a_node_that_does_not_mine_keeps_transactions_pending() {
    let home = home();
    let node = Node::start(home.path(), &["run", "--chain", "dev"]);
    let rpc = node.rpc();
    let sent = rpc.send(&secp256k1(0).pay(Transfer::new(MINER, 7, 0)));
    assert_eq!(rpc.call("eth_mining", json!([])), false);
    assert!(rpc.receipt(sent).is_null());
    let pending = rpc.call("eth_getTransactionByHash", json!([sent]));
    for field in ["blockHash", "blockNumber", "transactionIndex"] {
        assert!(pending[field].is_null(), "{field} of {pending}");
    }
    assert_eq!(rpc.nonce(secp256k1(0).address, "pending"), 1);
    assert_eq!(rpc.nonce(secp256k1(0).address, "latest"), 0);
    assert_eq!(rpc.block("pending")["transactions"], json!([sent]));
    assert_eq!(rpc.height(), 0);
}
