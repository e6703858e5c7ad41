//! Properties of every codec: encoding and decoding are inverse, no decoder accepts two encodings
//! of one value, and none panics on any bytes.

use alloy_primitives::{Address, B256, Bytes, Log, TxKind, U256};
use cairn_genesis::{Block, Header, NativeTransaction, Receipt, Seal, Target, Transaction};
use proptest::{collection::vec, prelude::*};

use crate::{
    fixtures::{child_header, dev, mine, sign_native},
    transactions::one_of_each,
};

const LIMIT: usize = 1 << 20;

fn native() -> impl Strategy<Value = Transaction> {
    let numbers = (
        any::<u64>(),
        any::<u64>(),
        any::<u128>(),
        any::<u128>(),
        any::<u64>(),
    );
    let to = prop_oneof![
        Just(TxKind::Create),
        any::<[u8; 20]>().prop_map(|address| TxKind::Call(address.into())),
    ];
    let keys = (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<[u8; 32]>());
    (
        numbers,
        to,
        any::<[u64; 4]>(),
        vec(any::<u8>(), 0..200),
        keys,
    )
        .prop_map(|(numbers, to, value, input, (public_key, r, s))| {
            let body = NativeTransaction {
                chain_id: numbers.0,
                nonce: numbers.1,
                max_priority_fee: numbers.2,
                max_fee: numbers.3,
                gas_limit: numbers.4,
                to,
                value: U256::from_limbs(value),
                input: input.into(),
                access_list: Default::default(),
                public_key,
            };
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&r);
            signature[32..].copy_from_slice(&s);
            Transaction::native(body, signature)
        })
}

fn header() -> impl Strategy<Value = Header> {
    let integers = (any::<[u64; 5]>(), any::<u32>());
    let hashes = (any::<[[u8; 32]; 4]>(), any::<[u8; 20]>());
    (integers, hashes, vec(any::<u8>(), 0..33)).prop_map(
        |((integers, bits), (hashes, beneficiary), extra)| Header {
            parent_hash: hashes[0].into(),
            number: integers[0],
            timestamp: integers[1],
            bits,
            beneficiary: beneficiary.into(),
            state_root: hashes[1].into(),
            transactions_root: hashes[2].into(),
            receipts_root: hashes[3].into(),
            gas_limit: integers[2],
            gas_used: integers[3],
            base_fee: integers[4],
            extra: extra.into(),
        },
    )
}

fn seal() -> impl Strategy<Value = Seal> {
    (any::<[u32; 3]>(), any::<[u8; 12]>()).prop_map(|([version, time, nonce], extranonce)| Seal {
        version,
        time,
        nonce,
        extranonce,
    })
}

fn receipt() -> impl Strategy<Value = Receipt> {
    let log = (
        any::<[u8; 20]>(),
        vec(any::<[u8; 32]>(), 0..5),
        vec(any::<u8>(), 0..80),
    );
    let log = log.prop_map(|(address, topics, data)| {
        let topics = topics.into_iter().map(B256::from).collect();
        Log::new_unchecked(Address::from(address), topics, Bytes::from(data))
    });
    let tx_type = prop_oneof![Just(0), Just(1), Just(2), Just(4), Just(0x45)];
    (tx_type, any::<bool>(), any::<u64>(), vec(log, 0..4)).prop_map(
        |(tx_type, success, cumulative_gas_used, logs)| Receipt {
            tx_type,
            success,
            cumulative_gas_used,
            logs,
        },
    )
}

fn block() -> impl Strategy<Value = Block> {
    let standard = one_of_each();
    let any_of = (0..standard.len()).prop_map(move |index| standard[index].clone());
    let transactions = vec(prop_oneof![native(), any_of], 0..5);
    (header(), seal(), transactions).prop_map(|(header, seal, transactions)| Block {
        header,
        seal,
        transactions,
    })
}

/// One byte changed, put in or taken out.
#[derive(Debug, Clone)]
enum Mutation {
    Change(usize, u8),
    Insert(usize, u8),
    Remove(usize),
    Cut(usize),
}

impl Mutation {
    fn apply(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let length = bytes.len();
        match *self {
            Self::Change(at, byte) => bytes[at % length] = byte,
            Self::Insert(at, byte) => bytes.insert(at % (length + 1), byte),
            Self::Remove(at) => drop(bytes.remove(at % length)),
            Self::Cut(at) => bytes.truncate(at % length),
        }
        bytes
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    // Lengths and types stand at the front: change these more often.
    let at = || prop_oneof![0..16usize, any::<usize>()];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Change(at, byte)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        at().prop_map(Mutation::Remove),
        at().prop_map(Mutation::Cut),
    ]
}

/// Whatever decodes, encodes to the same bytes again.
fn is_canonical(bytes: &[u8]) {
    if let Ok(transaction) = Transaction::decode(bytes) {
        assert_eq!(&transaction.envelope()[..], bytes);
    }
    if let Ok(block) = Block::decode(bytes, LIMIT) {
        assert_eq!(block.encode(), bytes);
    }
    if let Ok(header) = Header::decode(bytes) {
        assert_eq!(header.encode(), bytes);
    }
    if let Ok(seal) = Seal::decode(bytes) {
        assert_eq!(seal.encode(), bytes);
    }
    if let Ok(receipt) = Receipt::decode(bytes) {
        assert_eq!(receipt.encode(), bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn headers_and_seals_survive(header in header(), seal in seal(), change in mutation()) {
        prop_assert_eq!(Header::decode(&header.encode()), Ok(header.clone()));
        prop_assert_eq!(Seal::decode(&seal.encode()), Ok(seal));
        is_canonical(&change.apply(header.encode()));
        is_canonical(&change.apply(seal.encode()));
    }

    #[test]
    fn transactions_survive(transaction in native(), change in mutation()) {
        let envelope = transaction.envelope().to_vec();
        prop_assert_eq!(Transaction::decode(&envelope), Ok(transaction));
        is_canonical(&change.apply(envelope));
    }

    #[test]
    fn ethereum_transactions_have_one_encoding(index in 0..6usize, change in mutation()) {
        is_canonical(&change.apply(one_of_each()[index].envelope().to_vec()));
    }

    #[test]
    fn receipts_survive(receipt in receipt(), change in mutation()) {
        prop_assert_eq!(Receipt::decode(&receipt.encode()), Ok(receipt.clone()));
        is_canonical(&change.apply(receipt.encode()));
    }

    #[test]
    fn blocks_survive(block in block(), change in mutation()) {
        let bytes = block.encode();
        prop_assert_eq!(block.size_bytes(), bytes.len());
        prop_assert_eq!(&Block::decode(&bytes, bytes.len()), &Ok(block));
        prop_assert!(Block::decode(&bytes, bytes.len() - 1).is_err());
        is_canonical(&change.apply(bytes));
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..300), kind in any::<u8>()) {
        is_canonical(&bytes);
        is_canonical(&[&[kind][..], &bytes[..]].concat());
        let mut list = Vec::new();
        alloy_rlp::Header { list: true, payload_length: bytes.len() }.encode(&mut list);
        list.extend(&bytes);
        is_canonical(&list);
        list.insert(0, 0x45);
        is_canonical(&list);
    }

    #[test]
    fn no_block_panics_the_checks(header in header(), seal in seal(), now in any::<u64>()) {
        use cairn_genesis::check::{after_parent, alone};
        let spec = cairn_genesis::ChainSpec::builtin("devnet").unwrap();
        prop_assert!(alone::header(spec, &header, &seal).is_err());
        let _ = after_parent::not_yet(spec, &header, now);
        let _ = spec.next_base_fee(&header);
        let _ = spec.issued(header.number);
    }

    #[test]
    fn targets_round_down_and_only_once(value in any::<[u64; 4]>(), shift in 0..256usize) {
        let target = Target::new(U256::from_limbs(value) >> shift);
        let rounded = Target::from_bits(target.to_bits()).unwrap();
        prop_assert!(rounded <= target);
        prop_assert_eq!(rounded.to_bits(), target.to_bits());
        prop_assert!(rounded.work() >= target.work());
    }

    #[test]
    fn sealed_blocks_verify(nonce in 0..u64::MAX) {
        let mut body = crate::fixtures::native_transfer();
        body.nonce = nonce;
        let transactions = vec![sign_native(body)];
        let header = child_header(&transactions);
        let seal = mine(&header);
        let block = Block { header, seal, transactions };
        let verified = cairn_genesis::check::alone::block(dev(), block.clone()).unwrap();
        prop_assert_eq!(verified.to_block(), block);
    }
}
