//! Damaged messages: no decoder panics, and whatever it accepts it would have written so.

use alloy_primitives::{B256, Bytes, U256};
use cairn_genesis::{Block, ChainSpec, Transaction};
use cairn_node::network::message::{ForkId, Rule};
use cairn_node::network::{Announcement, Request, Response, Status};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

type Reencode = fn(&[u8]) -> Option<Vec<u8>>;

fn status(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Status::decode(bytes).ok()?.encode())
}

fn request(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Request::decode(bytes).ok()?.encode())
}

fn response(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Response::decode(bytes).ok()?.encode())
}

fn announcement(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Announcement::decode(bytes).ok()?.encode())
}

fn transaction(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Transaction::decode(bytes).ok()?.envelope().to_vec())
}

fn block(bytes: &[u8]) -> Option<Vec<u8>> {
    Some(Block::decode(bytes, 1 << 20).ok()?.encode())
}

/// A valid message of each kind, with its decoder.
pub fn samples() -> Vec<(Vec<u8>, Reencode)> {
    let spec = ChainSpec::builtin("devnet").expect("built in");
    let genesis = spec.genesis_block();
    let pair = (genesis.header.clone(), genesis.seal);
    let hashes = vec![B256::repeat_byte(7), B256::repeat_byte(9)];
    let envelope = Bytes::from(sample_transaction());
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
    let mut samples: Vec<(Vec<u8>, Reencode)> = vec![
        (hello.encode(), status),
        (news.encode(), announcement),
        (envelope.to_vec(), transaction),
        (full.encode(), block),
    ];
    samples.extend(
        requests
            .iter()
            .map(|sample| (sample.encode(), request as Reencode)),
    );
    samples.extend(
        responses
            .iter()
            .map(|sample| (sample.encode(), response as Reencode)),
    );
    samples
}

/// The envelope of a native transaction.
pub fn sample_transaction() -> Vec<u8> {
    use cairn_genesis::NativeTransaction;
    use ed25519_dalek::{Signer, SigningKey};
    let key = SigningKey::from_bytes(&[1; 32]);
    let body = NativeTransaction {
        chain_id: 31_338,
        nonce: 0,
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
pub fn damage(rng: &mut ChaCha8Rng, bytes: &mut Vec<u8>) {
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

#[test]
fn no_damage_makes_a_decoder_panic_or_accept_a_second_encoding() {
    let (rounds, mut rng) = super::rounds();
    let samples = samples();
    let mut accepted = 0u64;
    for (sample, reencode) in &samples {
        assert_eq!(
            reencode(sample).as_ref(),
            Some(sample),
            "a sample does not decode"
        );
    }
    for _ in 0..rounds {
        let (sample, _) = &samples[rng.random_range(0..samples.len())];
        let mut bytes = sample.clone();
        damage(&mut rng, &mut bytes);
        // Each decoder gets it, not only its own.
        for (_, reencode) in &samples {
            if let Some(again) = reencode(&bytes) {
                assert_eq!(again, bytes);
                accepted += 1;
            }
        }
    }
    assert!(
        accepted > 0,
        "no damaged message was ever accepted: the damage is too great"
    );
}
