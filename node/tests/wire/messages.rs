//! Every message of the wire: a valid sample of each, its decoder, and damage.

use alloy_primitives::{B256, Bytes, U256};
use cairn_genesis::{Block, ChainSpec, Transaction};
use cairn_node::network::message::{ForkId, Rule};
use cairn_node::network::{Announcement, Request, Response, Status};
use rand::Rng;

type Reencode = fn(&[u8]) -> Option<Vec<u8>>;

const DECODERS: [Reencode; 6] = [
    |bytes| Some(Status::decode(bytes).ok()?.encode()),
    |bytes| Some(Request::decode(bytes).ok()?.encode()),
    |bytes| Some(Response::decode(bytes).ok()?.encode()),
    |bytes| Some(Announcement::decode(bytes).ok()?.encode()),
    |bytes| Some(Transaction::decode(bytes).ok()?.envelope().to_vec()),
    |bytes| Some(Block::decode(bytes, 1 << 20).ok()?.encode()),
];

/// Gives bytes to every decoder, and says how many accepted them.
///
/// # Panics
///
/// If a decoder panics, or accepts what it would have written otherwise.
pub fn read_by_all(bytes: &[u8]) -> usize {
    let read = DECODERS.iter().filter_map(|reencode| reencode(bytes));
    read.inspect(|again| assert_eq!(again, bytes, "a second encoding was accepted"))
        .count()
}

/// A valid message of each kind.
pub fn samples() -> Vec<Vec<u8>> {
    let spec = ChainSpec::builtin("devnet").expect("built in");
    let genesis = spec.genesis_block();
    let pair = (genesis.header.clone(), genesis.seal);
    let hashes = vec![B256::repeat_byte(7), B256::repeat_byte(9)];
    let envelope = Bytes::from(payment(0));
    let body = Bytes::from(alloy_rlp::encode(vec![envelope.clone()]));
    let requests = [
        Request::Headers {
            locator: hashes.clone(),
        },
        Request::Bodies {
            blocks: hashes.clone(),
        },
        Request::BlockTransactions {
            block: hashes[0],
            indexes: vec![0, 7, 300],
        },
        Request::Pool,
        Request::Transactions {
            hashes: hashes.clone(),
        },
    ];
    let responses = [
        Response::Headers(vec![pair.clone(), pair.clone()]),
        Response::Bodies(vec![body.clone(), body]),
        Response::BlockTransactions(vec![envelope.clone()]),
        Response::Pool(hashes),
        Response::Transactions(vec![envelope.clone(), envelope.clone()]),
    ];
    let news = Announcement {
        header: pair.0.clone(),
        seal: pair.1,
        short_ids: vec![[1; 5], [2; 5]],
    };
    let hello = Status {
        protocol: 1,
        chain_id: 5,
        genesis: B256::repeat_byte(1),
        rules: vec![Rule {
            name: "spacing".into(),
            value: "2".into(),
        }],
        fork: ForkId {
            hash: [1; 4],
            next: 0,
        },
        head: B256::repeat_byte(2),
        number: 1 << 20,
        work: U256::MAX,
        client: "cairn".into(),
    };
    let full = Block {
        header: pair.0,
        seal: pair.1,
        transactions: vec![Transaction::decode(&envelope).expect("a transaction")],
    };
    let mut samples = vec![
        hello.encode(),
        news.encode(),
        envelope.to_vec(),
        full.encode(),
    ];
    samples.extend(requests.iter().map(Request::encode));
    samples.extend(responses.iter().map(Response::encode));
    samples
}

/// The envelope of a native transaction.
pub fn payment(nonce: u64) -> Vec<u8> {
    use cairn_genesis::NativeTransaction;
    use ed25519_dalek::{Signer, SigningKey};
    let key = SigningKey::from_bytes(&[1; 32]);
    let body = NativeTransaction {
        chain_id: 31_338,
        nonce,
        max_priority_fee: 1,
        max_fee: 5_000_000_000,
        gas_limit: 21_000,
        to: alloy_primitives::TxKind::Call(alloy_primitives::Address::repeat_byte(3)),
        value: U256::from(1),
        input: Bytes::new(),
        access_list: Default::default(),
        public_key: *key.verifying_key().as_bytes(),
    };
    let signature = key.sign(body.signing_hash().as_slice()).to_bytes();
    Transaction::native(body, signature).envelope().to_vec()
}

/// Changes a message as a stranger might: bits, bytes, lengths, parts of itself.
pub fn damage(rng: &mut impl Rng, bytes: &mut Vec<u8>) {
    for _ in 0..rng.random_range(1..=4) {
        let length = bytes.len();
        match rng.random_range(0..6) {
            0 if length > 0 => bytes[rng.random_range(0..length)] ^= 1 << rng.random_range(0..8),
            1 if length > 0 => bytes[rng.random_range(0..length)] = rng.random(),
            2 => bytes.truncate(rng.random_range(0..=length)),
            3 => bytes.insert(rng.random_range(0..=length), rng.random()),
            4 if length > 1 => {
                let (from, to) = (rng.random_range(0..length), rng.random_range(0..length));
                let part = bytes[from.min(to)..from.max(to)].to_vec();
                let at = rng.random_range(0..=length);
                bytes.splice(at..at, part);
            }
            // RLP heads that promise much.
            _ => {
                const HEADS: [&[u8]; 6] = [
                    &[0xfb, 0xff, 0xff, 0xff, 0xff],
                    &[0xbb, 0xff, 0xff, 0xff, 0xff],
                    &[0xff; 9],
                    &[0xbf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                    &[0xc0],
                    &[0xf8, 0x00],
                ];
                let head = HEADS[rng.random_range(0..HEADS.len())].iter().copied();
                let at = rng.random_range(0..=length);
                bytes.splice(at..(at + head.len()).min(length), head);
            }
        }
    }
}
