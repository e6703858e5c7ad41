use alloy_primitives::{B256, Bytes, U256, hex};
use cairn_genesis::{ChainSpec, Header, Seal};
use proptest::prelude::*;

use super::*;
use crate::network::limits::{
    MAX_BODIES, MAX_CLIENT_BYTES, MAX_HEADERS, MAX_LOCATOR, MAX_POOL_HASHES, MAX_POSITIONS,
    MAX_SHORT_IDS, MAX_TRANSACTIONS,
};

fn header(number: u64) -> Header {
    let mut header = ChainSpec::builtin("dev").unwrap().genesis_block().header;
    header.number = number;
    header
}

fn seal() -> Seal {
    ChainSpec::builtin("dev").unwrap().genesis_block().seal
}

fn status() -> Status {
    Status {
        protocol: 1,
        chain_id: 7,
        genesis: B256::repeat_byte(1),
        rules: vec![Rule {
            name: "spacing".into(),
            value: "2".into(),
        }],
        fork: ForkId {
            hash: [1, 2, 3, 4],
            next: 9,
        },
        head: B256::repeat_byte(2),
        number: 300,
        work: U256::from(70_000),
        client: "cairn/1".into(),
    }
}

/// Changing one of these is a new version of the protocol.
#[test]
fn bytes_on_the_wire_are_pinned() {
    let hash = B256::repeat_byte(0xab);
    let ab = "ab".repeat(32);
    let requests = [
        (
            Request::Headers {
                locator: vec![hash],
            },
            format!("01e1a0{ab}"),
        ),
        (
            Request::Bodies { blocks: vec![hash] },
            format!("02e1a0{ab}"),
        ),
        (
            Request::BlockTransactions {
                block: hash,
                indexes: vec![0, 300],
            },
            format!("03a0{ab}c48082012c"),
        ),
        (Request::Pool, "04".into()),
        (
            Request::Transactions { hashes: vec![hash] },
            format!("05e1a0{ab}"),
        ),
    ];
    for (request, expected) in requests {
        assert_eq!(hex::encode(request.encode()), expected, "{request:?}");
        assert_eq!(Request::decode(&request.encode()), Ok(request));
    }
    let item = Bytes::from_static(&[0xc1, 0x80]);
    let responses = [
        (
            Response::Bodies(vec![item.clone()]),
            "82c382c180".to_owned(),
        ),
        (
            Response::BlockTransactions(vec![item.clone()]),
            "83c382c180".into(),
        ),
        (Response::Pool(vec![hash]), format!("84e1a0{ab}")),
        (Response::Transactions(vec![item]), "85c382c180".into()),
        (Response::Headers(Vec::new()), "81c0".into()),
    ];
    for (response, expected) in responses {
        assert_eq!(hex::encode(response.encode()), expected, "{response:?}");
        assert_eq!(Response::decode(&response.encode()), Ok(response));
    }
    let expected = [
        "f8650107a0",
        &"01".repeat(32),
        "cac98773706163696e6732c6840102030409a0",
        &"02".repeat(32),
        "82012c8301117087636169726e2f31",
    ]
    .concat();
    assert_eq!(hex::encode(status().encode()), expected);
    assert_eq!(Status::decode(&status().encode()), Ok(status()));
}

#[test]
fn headers_and_announcements_hold_the_canonical_header() {
    let pairs = vec![(header(1), seal()), (header(2), seal())];
    let response = Response::Headers(pairs);
    assert_eq!(Response::decode(&response.encode()), Ok(response));
    let announcement = Announcement {
        header: header(5),
        seal: seal(),
        short_ids: vec![[1, 2, 3, 4, 5], [7; 5]],
    };
    let bytes = announcement.encode();
    assert_eq!(Announcement::decode(&bytes), Ok(announcement));
    let cut = [&bytes[..bytes.len() - 1], &[]].concat();
    assert!(Announcement::decode(&cut).is_err());
    assert!(Announcement::decode(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn short_ids_are_pinned() {
    let ids = ShortIds::new(B256::repeat_byte(0x11));
    assert_eq!(hex::encode(ids.of(B256::repeat_byte(0x22))), "9762ac6b9b");
    let other = ShortIds::new(B256::repeat_byte(0x12));
    assert_ne!(
        other.of(B256::repeat_byte(0x22)),
        ids.of(B256::repeat_byte(0x22))
    );
}

#[test]
fn nobody_may_ask_or_answer_more_than_the_protocol_allows() {
    let hashes = |count| vec![B256::ZERO; count];
    let too_many = |result: Result<(), MessageError>| {
        assert!(
            matches!(result, Err(MessageError::TooMany { .. })),
            "{result:?}"
        );
    };
    let request = |request: Request| Request::decode(&request.encode()).map(drop);
    assert!(
        request(Request::Headers {
            locator: hashes(MAX_LOCATOR)
        })
        .is_ok()
    );
    too_many(request(Request::Headers {
        locator: hashes(MAX_LOCATOR + 1),
    }));
    too_many(request(Request::Bodies {
        blocks: hashes(MAX_BODIES + 1),
    }));
    let headers = vec![(header(1), seal()); MAX_HEADERS + 1];
    too_many(Response::decode(&Response::Headers(headers).encode()).map(drop));
    let mut long = status();
    long.client = "x".repeat(MAX_CLIENT_BYTES + 1);
    too_many(Status::decode(&long.encode()).map(drop));
    let mut long = status();
    long.rules = vec![long.rules[0].clone(); 100];
    too_many(Status::decode(&long.encode()).map(drop));
}

/// Of a list that is too long nothing is read but what is allowed: behind it are bytes that
/// would not decode.
#[test]
fn a_list_is_over_where_it_is_too_long() {
    let list = |kind: &[u8], item: &[u8], count: usize| {
        let mut items = item.repeat(count);
        items.extend([0xbf; 9]);
        let mut bytes = kind.to_vec();
        let payload_length = items.len();
        let list = true;
        alloy_rlp::Header {
            list,
            payload_length,
        }
        .encode(&mut bytes);
        [bytes, items].concat()
    };
    let hash = alloy_rlp::encode(B256::ZERO);
    let block = [&[0x03], &hash[..]].concat();
    let pair = Response::Headers(vec![(header(1), seal())]).encode();
    let (pair, empty) = (
        alloy_rlp::Header::decode_bytes(&mut &pair[1..], true),
        [0x80],
    );
    let read_request = |bytes: &[u8]| Request::decode(bytes).map(drop);
    let read_response = |bytes: &[u8]| Response::decode(bytes).map(drop);
    type Read<'a> = &'a dyn Fn(&[u8]) -> Result<(), MessageError>;
    let each: [(Read, &[u8], &[u8], usize); 9] = [
        (&read_request, &[0x01], &hash, MAX_LOCATOR),
        (&read_request, &[0x02], &hash, MAX_BODIES),
        (&read_request, &block, &empty, MAX_POSITIONS),
        (&read_request, &[0x05], &hash, MAX_TRANSACTIONS),
        (&read_response, &[0x81], pair.unwrap(), MAX_HEADERS),
        (&read_response, &[0x82], &empty, MAX_BODIES),
        (&read_response, &[0x83], &empty, MAX_POSITIONS),
        (&read_response, &[0x84], &hash, MAX_POOL_HASHES),
        (&read_response, &[0x85], &empty, MAX_TRANSACTIONS),
    ];
    for (read, kind, item, limit) in each {
        for count in [limit, 8 * limit] {
            let got = read(&list(kind, item, count));
            assert!(
                matches!(got, Err(MessageError::TooMany { limit: told, .. }) if told == limit),
                "{kind:?}: {got:?}"
            );
        }
        let got = read(&list(kind, item, limit - 1));
        assert!(
            matches!(got, Err(MessageError::Rlp(_))),
            "{kind:?}: {got:?}"
        );
    }
    let mut announcement = Announcement {
        header: header(5),
        seal: seal(),
        short_ids: vec![[9; SHORT_ID_BYTES]; MAX_SHORT_IDS],
    };
    assert!(Announcement::decode(&announcement.encode()).is_ok());
    announcement.short_ids.push([9; SHORT_ID_BYTES]);
    let got = Announcement::decode(&announcement.encode());
    assert!(matches!(got, Err(MessageError::TooMany { .. })), "{got:?}");
}

#[test]
fn an_answer_fits_its_question_only() {
    let bodies = Request::Bodies {
        blocks: vec![B256::ZERO],
    };
    assert!(Response::Bodies(Vec::new()).answers(&bodies));
    assert!(Response::Bodies(vec![Bytes::new()]).answers(&bodies));
    assert!(!Response::Bodies(vec![Bytes::new(); 2]).answers(&bodies));
    assert!(!Response::Headers(Vec::new()).answers(&bodies));
    let parts = Request::BlockTransactions {
        block: B256::ZERO,
        indexes: vec![1, 2],
    };
    assert!(Response::BlockTransactions(Vec::new()).answers(&parts));
    assert!(!Response::BlockTransactions(vec![Bytes::new()]).answers(&parts));
}

/// Two nodes say which field differs, with both values.
#[test]
fn a_mismatch_names_the_field() {
    let spec = ChainSpec::builtin("devnet").unwrap();
    let record = |spec: &ChainSpec| {
        let block = spec.genesis_block();
        crate::chain::HeaderRecord {
            hash: block.hash(),
            header: block.header,
            seal: block.seal,
            work: U256::from(1),
            skipped: 0,
            issued: U256::ZERO,
            burned: U256::ZERO,
            size_bytes: 0,
            tx_count: 0,
        }
    };
    let ours = Identity::new(spec, spec.genesis_hash(), "test");
    let say = |change: &dyn Fn(&mut ChainSpec)| {
        let mut other = spec.clone();
        change(&mut other);
        let identity = Identity::new(&other, other.genesis_hash(), "other");
        let mismatch = ours.mismatch(0, &identity.status(&record(&other)));
        mismatch.map(|mismatch| mismatch.to_string())
    };
    assert_eq!(say(&|_| {}), None);
    assert_eq!(say(&|spec| spec.name = "another".into()), None);
    assert_eq!(
        say(&|spec| spec.boot_nodes.push("/ip4/10.0.0.1/tcp/1".into())),
        None
    );
    assert_eq!(
        say(&|spec| spec.chain_id = 5).unwrap(),
        "its chain id is 5, ours is 31338"
    );
    assert_eq!(
        say(&|spec| spec.gas_limit = 1_000_000).unwrap(),
        "its gas_limit is 1000000, ours is 60000000"
    );
    let alloc = say(&|spec| drop(spec.alloc.pop_first())).unwrap();
    assert!(alloc.starts_with("its alloc is keccak256 0x"), "{alloc}");
}

/// EIP-2124: who has not passed an activation must know of it; who knows of none to come
/// that we do not know either fits.
#[test]
fn fork_ids_fit_as_in_eip_2124() {
    let spec = ChainSpec::builtin("devnet").unwrap();
    let identity = |heights: &[u64]| {
        let mut spec = spec.clone();
        spec.activations = heights.iter().map(|h| (format!("a{h}"), *h)).collect();
        Identity::new(&spec, B256::repeat_byte(1), "test")
    };
    let mut theirs = status();
    theirs.chain_id = spec.chain_id;
    theirs.genesis = B256::repeat_byte(1);
    let fits = |ours: &Identity, our_number, their: &Identity, their_number| {
        let mut theirs = theirs.clone();
        theirs.rules = their.rules.clone();
        theirs.fork = their.fork_id(their_number);
        ours.mismatch(our_number, &theirs).is_none()
    };
    let (old, new) = (identity(&[]), identity(&[100]));
    assert!(fits(&new, 50, &old, 50), "the activation is still to come");
    assert!(fits(&old, 50, &new, 50));
    assert!(
        !fits(&new, 150, &old, 150),
        "it has passed without the other"
    );
    assert!(fits(&new, 150, &new, 50), "behind, but it knows what comes");
    assert!(fits(&new, 50, &new, 150), "ahead of us");
    let other = identity(&[120]);
    assert!(
        !fits(&new, 150, &other, 50),
        "it will pass another activation"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic_and_what_decodes_is_canonical(
        kind in 0u8..=0x90, tail in prop::collection::vec(any::<u8>(), 0..300)
    ) {
        let bytes = [&[kind], &tail[..]].concat();
        if let Ok(request) = Request::decode(&bytes) {
            prop_assert_eq!(request.encode(), bytes.clone());
        }
        if let Ok(response) = Response::decode(&bytes) {
            prop_assert_eq!(response.encode(), bytes.clone());
        }
        if let Ok(status) = Status::decode(&bytes) {
            prop_assert_eq!(status.encode(), bytes.clone());
        }
        if let Ok(announcement) = Announcement::decode(&bytes) {
            prop_assert_eq!(announcement.encode(), bytes);
        }
    }

    #[test]
    fn damage_to_a_message_is_noticed_or_harmless(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let bytes = Announcement { header: header(5), seal: seal(), short_ids: vec![[1; 5]; 3] }.encode();
        let mut damaged = bytes.clone();
        damaged[at.index(bytes.len())] = to;
        if let Ok(read) = Announcement::decode(&damaged) {
            prop_assert_eq!(read.encode(), damaged);
        }
    }
}

/// What makes announcements worth their round trip: a block of the smallest transfers
/// travels in a twentieth of its bytes.
#[test]
fn an_announcement_saves_nineteen_of_twenty_bytes() {
    const TRANSFERS: usize = 1_000;
    // A transfer by secp256k1 (0x02) has 109 bytes or more.
    let smallest_body = TRANSFERS * 109;
    let announcement = Announcement {
        header: header(1),
        seal: seal(),
        short_ids: vec![[9; SHORT_ID_BYTES]; TRANSFERS],
    };
    assert!(announcement.encode().len() * 20 <= smallest_body);
}
