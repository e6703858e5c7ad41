//! Every type of transaction, and the amounts that it moves, to the wei.

use alloy_consensus::{TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address};
use cairn_genesis::{ChainSpec, NativeTransaction, Transaction};
use serde_json::{Value, json};

use crate::harness::{
    Account, DEV, GWEI, Node, Rpc, block_at, hash, home, native, number, secp256k1, text, wei,
};

const MINER: Address = address!("00000000000000000000000000000000000000a1");
const SHOP: Address = address!("00000000000000000000000000000000000000b2");
/// What an authorization delegates to; no code is there.
const DELEGATE: Address = address!("00000000000000000000000000000000000000de");

const TRANSFER_GAS: u64 = 21_000;
/// EIP-2930.
const LISTED_ADDRESS_GAS: u64 = 2_400;
/// EIP-2930.
const LISTED_SLOT_GAS: u64 = 1_900;
/// EIP-7623: the least for each token of data; a zero byte is one token, another byte four.
const FLOOR_TOKEN_GAS: u64 = 10;
/// EIP-7702, for each authorization.
const AUTHORIZATION_GAS: u64 = 25_000;
/// EIP-7702: comes back where the authority has an account, within EIP-3529's fifth.
const AUTHORITY_EXISTS_REFUND: u64 = 12_500;

const VALUE: u64 = 123_456_789;

/// A transaction and what must come of it.
struct Case {
    transaction: Transaction,
    from: Address,
    kind: &'static str,
    gas_used: u64,
}

fn legacy() -> Case {
    let account = secp256k1(0);
    let transaction = account.sign(TxLegacy {
        chain_id: Some(DEV),
        nonce: 0,
        gas_price: 3 * GWEI,
        gas_limit: TRANSFER_GAS,
        to: TxKind::Call(SHOP),
        value: U256::from(VALUE),
        input: Bytes::new(),
    });
    case(transaction, &account, "0x0", TRANSFER_GAS)
}

fn with_access_list() -> Case {
    let account = secp256k1(1);
    let transaction = account.sign(TxEip2930 {
        chain_id: DEV,
        nonce: 0,
        gas_price: 2 * GWEI,
        gas_limit: 60_000,
        to: TxKind::Call(SHOP),
        value: U256::from(VALUE),
        access_list: AccessList(vec![AccessListItem {
            address: DELEGATE,
            storage_keys: vec![B256::ZERO, B256::repeat_byte(1)],
        }]),
        input: Bytes::new(),
    });
    let gas_used = TRANSFER_GAS + LISTED_ADDRESS_GAS + 2 * LISTED_SLOT_GAS;
    case(transaction, &account, "0x1", gas_used)
}

fn dynamic_fee() -> Case {
    let account = secp256k1(2);
    let transaction = account.sign(TxEip1559 {
        chain_id: DEV,
        nonce: 0,
        gas_limit: 50_000,
        max_fee_per_gas: 5 * GWEI,
        max_priority_fee_per_gas: GWEI / 3,
        to: TxKind::Call(SHOP),
        value: U256::from(VALUE),
        ..Default::default()
    });
    case(transaction, &account, "0x2", TRANSFER_GAS)
}

/// Two authorizations: one that delegates an account, one for another chain, which is skipped.
fn delegation() -> Case {
    let account = secp256k1(3);
    let transaction = account.sign(TxEip7702 {
        chain_id: DEV,
        nonce: 0,
        gas_limit: 100_000,
        max_fee_per_gas: 5 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: SHOP,
        value: U256::from(VALUE),
        access_list: AccessList::default(),
        authorization_list: vec![authorize(&secp256k1(4), DEV), authorize(&secp256k1(5), 1)],
        input: Bytes::new(),
    });
    let before_refund = TRANSFER_GAS + 2 * AUTHORIZATION_GAS;
    let refund = AUTHORITY_EXISTS_REFUND.min(before_refund / 5);
    case(transaction, &account, "0x4", before_refund - refund)
}

fn authorize(authority: &Account, chain_id: u64) -> SignedAuthorization {
    let authorization = Authorization {
        chain_id: U256::from(chain_id),
        address: DELEGATE,
        nonce: 0,
    };
    let signature = authority.secp256k1(authorization.signature_hash());
    authorization.into_signed(signature)
}

/// With data: three bytes that cost four tokens each, and a zero.
fn ed25519() -> Case {
    let account = native(1);
    let transaction = account.sign(NativeTransaction {
        chain_id: DEV,
        nonce: 0,
        max_priority_fee: 2 * GWEI,
        max_fee: 2 * GWEI + 1,
        gas_limit: 30_000,
        to: TxKind::Call(SHOP),
        value: U256::from(VALUE),
        input: Bytes::from_static(&[1, 2, 0, 3]),
        access_list: AccessList::default(),
        public_key: account.public_key(),
    });
    let gas_used = TRANSFER_GAS + 13 * FLOOR_TOKEN_GAS;
    case(transaction, &account, "0x45", gas_used)
}

fn case(transaction: Transaction, account: &Account, kind: &'static str, gas_used: u64) -> Case {
    Case {
        transaction,
        from: account.address,
        kind,
        gas_used,
    }
}

fn subsidy() -> U256 {
    U256::from(2) * U256::from(10).pow(U256::from(18))
}

/// Sends the transaction, which is mined alone, and follows every wei of it.
fn check(rpc: &Rpc, case: &Case) {
    let receipt = rpc.send_and_mine(&case.transaction);
    let block = rpc.block(receipt["blockNumber"].clone());
    let base_fee = u128::from(number(&block["baseFeePerGas"]));
    let tip = (case.transaction.max_fee() - base_fee).min(case.transaction.max_priority_fee());
    check_receipt(case, &receipt, &block, base_fee + tip);

    let height = number(&block["number"]);
    let change = |address: Address| {
        let before = rpc.balance(address, block_at(height - 1));
        (before, rpc.balance(address, block_at(height)))
    };
    let gas = |price: u128| U256::from(price) * U256::from(case.gas_used);
    let (before, after) = change(case.from);
    assert_eq!(
        after,
        before - U256::from(VALUE) - gas(base_fee + tip),
        "{}",
        case.kind
    );
    let (before, after) = change(SHOP);
    assert_eq!(after, before + U256::from(VALUE));
    let (before, after) = change(MINER);
    assert_eq!(after, before + subsidy() + gas(tip));

    let supply = |at: u64| rpc.call("cairn_supply", json!([block_at(at)]));
    let (before, after) = (supply(height - 1), supply(height));
    assert_eq!(wei(&after["issued"]), wei(&before["issued"]) + subsidy());
    let burned = wei(&before["burned"]) + gas(base_fee);
    assert_eq!(wei(&after["burned"]), burned, "the base fee is burned");
    check_transaction(rpc, case, &receipt, base_fee + tip);
}

fn check_receipt(case: &Case, receipt: &Value, block: &Value, price: u128) {
    assert_eq!(receipt["status"], "0x1", "{receipt}");
    assert_eq!(receipt["type"], case.kind);
    assert_eq!(number(&receipt["gasUsed"]), case.gas_used, "{}", case.kind);
    assert_eq!(receipt["cumulativeGasUsed"], receipt["gasUsed"]);
    assert_eq!(receipt["gasUsed"], block["gasUsed"]);
    assert_eq!(wei(&receipt["effectiveGasPrice"]), U256::from(price));
    assert_eq!(receipt["from"], json!(case.from));
    assert_eq!(receipt["to"], json!(SHOP));
    assert_eq!(hash(&receipt["transactionHash"]), case.transaction.hash());
    assert_eq!(receipt["transactionIndex"], "0x0");
    assert_eq!(receipt["blockHash"], block["hash"]);
    assert!(receipt["contractAddress"].is_null());
    assert_eq!(receipt["logs"], json!([]));
    assert_eq!(
        text(&receipt["logsBloom"]),
        format!("0x{}", "0".repeat(512))
    );
}

/// The transaction in JSON names its place, and its envelope is the one that was sent.
fn check_transaction(rpc: &Rpc, case: &Case, receipt: &Value, price: u128) {
    let name = json!([case.transaction.hash()]);
    let found = rpc.call("eth_getTransactionByHash", name.clone());
    assert_eq!(found["type"], case.kind);
    assert_eq!(found["from"], json!(case.from));
    assert_eq!(found["value"], format!("{VALUE:#x}"));
    assert_eq!(wei(&found["gasPrice"]), U256::from(price));
    assert_eq!(number(&found["chainId"]), DEV);
    for field in ["blockHash", "blockNumber", "transactionIndex"] {
        assert_eq!(found[field], receipt[field]);
    }
    let raw = rpc.call("eth_getRawTransactionByHash", name);
    assert_eq!(raw, json!(case.transaction.envelope()));
}

#[test]
fn every_type_moves_exact_amounts_and_supply_adds_up() {
    let home = home();
    let miner = MINER.to_string();
    let node = Node::start(home.path(), &["dev", "--mine-to", &miner]);
    let rpc = node.rpc();
    let cases = [
        legacy(),
        with_access_list(),
        dynamic_fee(),
        delegation(),
        ed25519(),
    ];
    for case in &cases {
        check(rpc, case);
    }

    let delegated = format!("0xef0100{}", &DELEGATE.to_string().to_lowercase()[2..]);
    let code = |account: Account| rpc.call("eth_getCode", json!([account.address, "latest"]));
    assert_eq!(code(secp256k1(4)), delegated);
    assert_eq!(rpc.nonce(secp256k1(4).address, "latest"), 1);
    assert_eq!(
        code(secp256k1(5)),
        "0x",
        "an authorization for another chain is skipped"
    );
    assert_eq!(rpc.nonce(secp256k1(5).address, "latest"), 0);

    let funded = ChainSpec::builtin("dev").unwrap().alloc.keys().copied();
    let everybody = funded.chain([MINER, SHOP, DELEGATE]);
    let sum: U256 = everybody.map(|one| rpc.balance(one, "latest")).sum();
    let supply = rpc.call("cairn_supply", json!([]));
    assert_eq!(
        wei(&supply["total"]),
        sum,
        "supply is the sum of all balances"
    );
    assert_eq!(wei(&supply["issued"]) - wei(&supply["burned"]), sum);
    assert_eq!(
        rpc.balance(SHOP, "latest"),
        U256::from(VALUE * cases.len() as u64)
    );
}

/// In JSON a native transaction has a signature that Ethereum's tools can parse, and the true one.
#[test]
fn a_native_transaction_shows_its_key_and_signature() {
    let home = home();
    let node = Node::start(home.path(), &["dev"]);
    let case = ed25519();
    node.rpc().send_and_mine(&case.transaction);
    let found = node
        .rpc()
        .call("eth_getTransactionByHash", json!([case.transaction.hash()]));
    let account = native(1);
    let signature = account.ed25519(case.transaction.signing_hash().as_slice());
    assert_eq!(found["publicKey"], json!(B256::from(account.public_key())));
    assert_eq!(
        found["signature"],
        json!(Bytes::copy_from_slice(&signature))
    );
    assert_eq!(
        (&found["v"], &found["yParity"]),
        (&json!("0x0"), &json!("0x0"))
    );
    assert_eq!(wei(&found["r"]), U256::from_be_slice(&signature[..32]));
    assert_eq!(wei(&found["s"]), U256::from_le_slice(&signature[32..]));
}
