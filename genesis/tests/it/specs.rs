//! Chain specs: R-SPEC, R-GEN.

use alloy_primitives::{Address, B256, U256, address, b256, hex, keccak256};
use cairn_genesis::{
    AsertParameters, ChainSpec, Difficulty, GenesisAccount, HISTORY_STORAGE_ADDRESS, SpecError,
    state_root,
};

use crate::fixtures::dev;

fn devnet() -> ChainSpec {
    ChainSpec::builtin("devnet").unwrap().clone()
}

fn asert(spec: &mut ChainSpec) -> &mut AsertParameters {
    match &mut spec.difficulty {
        Difficulty::Asert(asert) => asert,
        Difficulty::Fixed(_) => panic!("fixed difficulty"),
    }
}

/// The key that `validate` complains about after `change`.
fn refused(change: impl FnOnce(&mut ChainSpec)) -> &'static str {
    let mut spec = devnet();
    change(&mut spec);
    let read_back = ChainSpec::from_json(&spec.to_json());
    assert!(read_back.is_err(), "reading validates too");
    match spec.validate() {
        Err(SpecError::Value { key, .. }) => key,
        other => panic!("{other:?}"),
    }
}

#[test]
fn built_in_chains_load_and_survive_a_round_trip() {
    for name in ChainSpec::builtin_names() {
        let spec = ChainSpec::builtin(name).unwrap();
        assert_eq!(spec.name, *name);
        assert_eq!(ChainSpec::from_json(&spec.to_json()).unwrap(), *spec);
    }
    assert!(ChainSpec::builtin("mainnet").is_none());
}

#[test]
fn unknown_missing_and_double_keys_are_refused_by_name() {
    let json = dev().to_json();
    let error = |json: &str| ChainSpec::from_json(json).unwrap_err().to_string();
    let unknown = json.replacen("\"spacing\"", "\"block_reward\": 1, \"spacing\"", 1);
    assert!(error(&unknown).contains("unknown field `block_reward`"));
    let missing = json.replacen("\"max_future_drift\": null,", "", 1);
    assert!(error(&missing).contains("missing field `max_future_drift`"));
    let double = json.replacen("\"spacing\"", "\"chain_id\": 1, \"spacing\"", 1);
    assert!(error(&double).contains("duplicate field `chain_id`"));
    let inner = json.replacen("\"balance\"", "\"secretKey\": \"0x00\", \"balance\"", 1);
    assert!(error(&inner).contains("unknown field `secretKey`"));
    let account = "\"alloc\": { \"f39fd6e51aad88f6f4ce6ab8827279cfffb92266\": {\"balance\": 1},";
    let twice = json.replacen("\"alloc\": {", account, 1);
    assert!(error(&twice).contains("stands twice"), "{}", error(&twice));
}

#[test]
fn alloc_is_read_as_geth_writes_it() {
    let account = r#""alloc": { "00000000000000000000000000000000000000aa": {
        "balance": "1000", "nonce": "0x2", "code": "0x6001",
        "storage": {"0x1": "0x02", "03": "0x00"}},"#;
    let json = dev().to_json().replacen("\"alloc\": {", account, 1);
    let spec = ChainSpec::from_json(&json).unwrap();
    let account = &spec.alloc[&address!("00000000000000000000000000000000000000aa")];
    assert_eq!(account.balance, U256::from(1_000));
    assert_eq!((account.nonce, &account.code[..]), (2, &[0x60, 1][..]));
    let slot = |number: u8| B256::with_last_byte(number);
    let storage: Vec<_> = account.storage.clone().into_iter().collect();
    assert_eq!(storage, [(slot(1), slot(2))], "zeros are absent");
    for wrong in [
        "\"0x\"",
        "\"1_000\"",
        "-1",
        "\"0x1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"",
    ] {
        let json = json.replacen("\"1000\"", wrong, 1);
        assert!(ChainSpec::from_json(&json).is_err(), "{wrong}");
    }
}

#[test]
fn r_spec_1_2_11_identity() {
    assert_eq!(refused(|spec| spec.name = "Dev Net".into()), "name");
    assert_eq!(refused(|spec| spec.name = String::new()), "name");
    let of_the_wallet = |spec: &mut ChainSpec| spec.name = "keystore".into();
    assert_eq!(refused(of_the_wallet), "name");
    assert_eq!(refused(|spec| spec.chain_id = 0), "chain_id");
    assert_eq!(
        refused(|spec| spec.chain_id = u64::MAX / 2 - 35),
        "chain_id"
    );
    let unknown = |spec: &mut ChainSpec| spec.activations.extend([("pigs-fly".into(), 7)]);
    assert_eq!(refused(unknown), "activations");
}

#[test]
fn r_spec_3_4_times() {
    assert_eq!(
        refused(|spec| spec.genesis_time = u64::from(u32::MAX) - 599),
        "genesis_time"
    );
    assert_eq!(refused(|spec| spec.spacing = 0), "spacing");
    assert_eq!(
        refused(|spec| spec.max_future_drift = Some(1 << 32)),
        "max_future_drift"
    );
    let half_life = refused(|spec| asert(spec).half_life = 0);
    assert_eq!(half_life, "difficulty.asert.half_life");
}

#[test]
fn r_spec_5_bits() {
    let anchor = "difficulty.asert.anchor_bits";
    assert_eq!(
        refused(|spec| asert(spec).anchor_bits = 0x1f01_0000),
        anchor
    );
    assert_eq!(
        refused(|spec| asert(spec).anchor_bits = 0x1e80_0001),
        anchor
    );
    assert_eq!(
        refused(|spec| asert(spec).anchor_bits = 0x1e00_00ff),
        anchor
    );
    let limit = "difficulty.asert.pow_limit";
    assert_eq!(refused(|spec| asert(spec).pow_limit = 0), limit);
    let fixed = |spec: &mut ChainSpec| spec.difficulty = Difficulty::Fixed(0xff12_3456);
    assert_eq!(refused(fixed), "difficulty.fixed");
}

#[test]
fn r_spec_6_gap_cap_is_at_least_the_spacing_and_four_half_lives_if_absent() {
    let key = "difficulty.asert.gap_cap";
    assert_eq!(refused(|spec| asert(spec).gap_cap = Some(1)), key);
    let mut spec = devnet();
    asert(&mut spec).gap_cap = None;
    assert_eq!(asert(&mut spec).gap_cap(), 240);
    assert_eq!(
        spec.genesis_hash(),
        devnet().genesis_hash(),
        "240 is what devnet says"
    );
}

#[test]
fn r_spec_7_stall_relief_leaves_room_for_drift_and_bad_luck() {
    let least = 2 * 15 + 20 * 2;
    let key = "difficulty.asert.stall_relief";
    assert_eq!(refused(|spec| asert(spec).stall_relief = least - 1), key);
    let mut spec = devnet();
    asert(&mut spec).stall_relief = least;
    spec.validate().unwrap();
    assert_eq!(
        refused(|spec| spec.max_future_drift = None),
        "max_future_drift"
    );
    assert_eq!(
        dev().max_future_drift,
        None,
        "which fixed difficulty allows"
    );
}

#[test]
fn r_spec_8_9_limits() {
    assert_eq!(refused(|spec| spec.gas_limit = 20_999), "gas_limit");
    assert_eq!(refused(|spec| spec.gas_limit = 1 << 63), "gas_limit");
    assert_eq!(
        refused(|spec| spec.max_block_bytes = 256 * 1024 - 1),
        "max_block_bytes"
    );
    assert_eq!(
        refused(|spec| spec.max_block_bytes = 8 * 1024 * 1024 + 1),
        "max_block_bytes"
    );
}

#[test]
fn r_spec_10_12_coins() {
    let account = |spec: &mut ChainSpec| spec.alloc.first_entry().map(|entry| *entry.key());
    let rich = |spec: &mut ChainSpec| {
        let address = account(spec).unwrap();
        spec.alloc.get_mut(&address).unwrap().balance = U256::MAX;
    };
    assert_eq!(refused(rich), "alloc");
    assert_eq!(refused(|spec| spec.subsidy = U256::MAX >> 30), "alloc");
    assert_eq!(
        refused(|spec| spec.base_fee_floor = spec.base_fee_start + 1),
        "base_fee_floor"
    );
}

#[test]
fn r_spec_13_14_accounts() {
    let empty = |spec: &mut ChainSpec| {
        let address = address!("00000000000000000000000000000000000000aa");
        spec.alloc.insert(address, Default::default());
    };
    assert_eq!(refused(empty), "alloc");
    let absent = |spec: &mut ChainSpec| drop(spec.alloc.remove(&HISTORY_STORAGE_ADDRESS));
    assert_eq!(refused(absent), "alloc");
    let other_nonce = |spec: &mut ChainSpec| {
        spec.alloc.get_mut(&HISTORY_STORAGE_ADDRESS).unwrap().nonce = 2;
    };
    assert_eq!(refused(other_nonce), "alloc");
}

#[test]
fn predeploys_are_the_files_in_contracts() {
    let history = include_str!("../../contracts/history-storage.hex");
    let deployer = include_str!("../../contracts/create2-deployer.hex");
    let multicall = include_str!("../../contracts/multicall3.hex");
    let tools = ["dev", "devnet"];
    let contracts = [
        (
            HISTORY_STORAGE_ADDRESS,
            history,
            &["dev", "devnet", "testnet"][..],
        ),
        (
            address!("4e59b44847b379578588920cA78FbF26c0B4956C"),
            deployer,
            &tools,
        ),
        (
            address!("cA11bde05977b3631167028862bE2a173976CA11"),
            multicall,
            &tools,
        ),
    ];
    for (address, code, chains) in contracts {
        for name in ChainSpec::builtin_names() {
            let account = ChainSpec::builtin(name).unwrap().alloc.get(&address);
            let expected = chains
                .contains(name)
                .then(|| (1, hex::decode(code.trim()).unwrap()));
            assert_eq!(
                account.map(|account| (account.nonce, account.code.to_vec())),
                expected
            );
        }
    }
    // The hash that block explorers show for Multicall3.
    let known = b256!("d5c15df687b16f2ff992fc8d767b4216323184a2bbc6ee2f9c398c318e770891");
    assert_eq!(keccak256(hex::decode(multicall.trim()).unwrap()), known);
}

#[test]
fn r_sta_1_state_roots_are_those_of_other_implementations() {
    let empty = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    assert_eq!(state_root(&Default::default()), empty);
    // The custom genesis of go-ethereum's `core/genesis_test.go`: one account of 1 wei with a slot.
    // Its block hash is known, and commits to the state root.
    let one = B256::from(U256::ONE << 248);
    let account = GenesisAccount {
        balance: U256::ONE,
        storage: [(one, one)].into(),
        ..Default::default()
    };
    let header = alloy_consensus::Header {
        state_root: state_root(&[(Address::from_slice(&one[..20]), account)].into()),
        gas_limit: 4_712_388,
        difficulty: U256::from(131_072),
        ..Default::default()
    };
    let known = b256!("89c99d90b79719238d2645c7642f2c9295246e80775b38cfd162b696817fbd50");
    assert_eq!(header.hash_slow(), known);
}

#[test]
fn r_gen_1_the_genesis_block() {
    for name in ChainSpec::builtin_names() {
        let spec = ChainSpec::builtin(name).unwrap();
        let block = spec.genesis_block();
        assert_eq!(
            (block.header.number, block.header.parent_hash),
            (0, B256::ZERO)
        );
        assert_eq!(block.header.state_root, state_root(&spec.alloc));
        assert_eq!(block.header.base_fee, spec.base_fee_start);
        assert_eq!(block.header.extra[..], spec.rules_digest()[..]);
        assert_eq!(block.seal.encode()[1..6], [0x84, 0x20, 0, 0, 0]);
        assert_eq!(block.hash(), spec.genesis_hash());
    }
}

#[test]
fn genesis_hashes_are_frozen() {
    let hash = |name| ChainSpec::builtin(name).unwrap().genesis_hash();
    let dev = b256!("97bbe1115c5e46dc352eb5af1ca41632bd02f08d35284a8d8002de4999aca931");
    let devnet = b256!("eb74cdcd457bf800934866ff8cc6988d7909857bc1502699fdb06ad4b08639e3");
    let testnet = b256!("79eb9ff3c2b1df25a6b937d3fc14de26802c621e27d9133b2c3ccb50ca089137");
    assert_eq!(
        [hash("dev"), hash("devnet"), hash("testnet")],
        [dev, devnet, testnet]
    );
}

#[test]
fn r_gen_2_the_genesis_hash_commits_to_every_rule_and_to_nothing_else() {
    let original = devnet().genesis_hash();
    let changed = |change: &dyn Fn(&mut ChainSpec)| {
        let mut spec = devnet();
        change(&mut spec);
        spec.genesis_hash() != original
    };
    let rules: [&dyn Fn(&mut ChainSpec); 17] = [
        &|spec| spec.chain_id += 1,
        &|spec| spec.genesis_time += 1,
        &|spec| spec.spacing += 1,
        &|spec| asert(spec).anchor_bits -= 1,
        &|spec| asert(spec).pow_limit -= 1,
        &|spec| asert(spec).half_life += 1,
        &|spec| asert(spec).stall_relief += 1,
        &|spec| asert(spec).gap_cap = Some(1_000),
        &|spec| spec.difficulty = Difficulty::Fixed(0x1e07_ffff),
        &|spec| spec.subsidy += U256::ONE,
        &|spec| spec.halving_interval += 1,
        &|spec| spec.gas_limit += 1,
        &|spec| spec.base_fee_start += 1,
        &|spec| spec.base_fee_floor += 1,
        &|spec| spec.max_future_drift = Some(14),
        &|spec| spec.max_block_bytes -= 1,
        &|spec| drop(spec.alloc.pop_first()),
    ];
    for (index, rule) in rules.iter().enumerate() {
        assert!(changed(rule), "rule {index}");
    }
    assert!(!changed(&|spec| spec.name = "other".into()));
    assert!(!changed(&|spec| spec
        .boot_nodes
        .push("/ip4/192.0.2.1".into())));
    assert!(!changed(&|spec| spec
        .activations
        .extend([("later".into(), 9)])));
}
