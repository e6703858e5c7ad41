//! The bytes of every format, frozen. A change here is a change of the protocol: a decision on
//! record, and a new chain.

use alloy_primitives::{Address, B256, Log, U256, b256, hex};
use cairn_genesis::{
    Receipt, Transaction, account_rlp, coinbase, receipts_root, sealing_bytes, transactions_root,
};

use crate::{
    fixtures::{block, native_transfer},
    transactions::one_of_each,
};

fn receipt(tx_type: u8) -> Receipt {
    let topics = vec![B256::with_last_byte(1)];
    let log = Log::new_unchecked(Address::repeat_byte(0xcc), topics, hex!("c0de").into());
    Receipt {
        tx_type,
        success: true,
        cumulative_gas_used: 42_000,
        logs: vec![log],
    }
}

#[test]
fn r_enc_3_header() {
    let bytes = hex!(
        "f8b2a097bbe1115c5e46dc352eb5af1ca41632bd02f08d35284a8d8002de4999aca93101846955b90284207f"
        "ffff94aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa02bd6b50071975aff2cbe72082308ead5af2ed7ef"
        "de54b7198c8ed538546c86f6a0cc4b38c104da03d1800c81b4b354c2781ca1a813d1990db5143594ef6a38c5"
        "ada056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b4218401c9c3808252088434"
        "2770c080"
    );
    assert_eq!(block().header.encode(), bytes);
    let commitment = b256!("2645b04afc7e2ef3fd36ef275ea9280ddcf36ed42b9a9622bd08aa6bb7c6017f");
    assert_eq!(block().header.commitment(), commitment);
}

#[test]
fn r_enc_4_seal() {
    assert_eq!(
        block().seal.encode(),
        hex!("d88420000000846955b902808c7477656c7665206279746573")
    );
}

#[test]
fn r_seal_1_5_eighty_bytes_and_hash() {
    let bytes = hex!(
        "0000002031a9ac9949de02808d4a28358df002bd3216a41cafb52e35dc465e5c11e1bb970bd67d17fba46f52"
        "68cd204978825fd58190c89e825fcdaf131ebd99ecfe626b02b95569ffff7f2000000000"
    );
    assert_eq!(sealing_bytes(&block().header, &block().seal), bytes);
    let hash = b256!("35a96aaa8375a8c01b8d3ca93e8e9d0d8c2212bc82e552c12368836544af1f7d");
    assert_eq!(block().hash(), hash);
}

#[test]
fn r_enc_5_block() {
    let bytes = hex!(
        "f901c9f8b2a097bbe1115c5e46dc352eb5af1ca41632bd02f08d35284a8d8002de4999aca93101846955b902"
        "84207fffff94aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa02bd6b50071975aff2cbe72082308ead5af"
        "2ed7efde54b7198c8ed538546c86f6a0cc4b38c104da03d1800c81b4b354c2781ca1a813d1990db5143594ef"
        "6a38c5ada056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b4218401c9c3808252"
        "0884342770c080d88420000000846955b902808c7477656c7665206279746573f8fab88b45f888827a698001"
        "847735940082520894bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0180c0a0a09aa5f47a6759802ff955"
        "f8dc2d2a14a5c99d23be97f864127ff9383455a4f0b840e7d02769b98254d9cc8e9f8666df5e66be3d1a0485"
        "d8abfb84a69543f8093454bda9eface1a6bb456f21ac3266f489cac115f7f69ffc40ba7ab73847be64730db8"
        "6b02f868827a698001847735940082520894bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0180c001a045"
        "68d4a4007bea41b94734de72d12997f710e7673e3d8099fb822ffc0b811aeda0613b43d6b11663da11375c14"
        "7a7e52bc4bee037e15d389cb8a913a8ca3eb49c6"
    );
    assert_eq!(block().encode(), bytes);
}

#[test]
fn r_tx_2_3_envelopes() {
    let frozen: [(&[u8], B256); 6] = [
        (
            &hex!(
                "45f888827a698001847735940082520894bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0180c0a0a09aa5"
                "f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0b840e7d02769b98254d9cc8e9f8666"
                "df5e66be3d1a0485d8abfb84a69543f8093454bda9eface1a6bb456f21ac3266f489cac115f7f69ffc40ba7a"
                "b73847be64730d"
            ),
            b256!("26603b0d120053080df55072535ee3f19202a343747fc94a2c4c0cc157f98136"),
        ),
        (
            &hex!(
                "45f8d5827a6980018477359400830186a0800184600a600cf85bf85994cccccccccccccccccccccccccccccc"
                "ccccccccccf842a00000000000000000000000000000000000000000000000000000000000000001a0000000"
                "0000000000000000000000000000000000000000000000000000000002a0a09aa5f47a6759802ff955f8dc2d"
                "2a14a5c99d23be97f864127ff9383455a4f0b84084a42522ff936c8af68360f53ba4f0a2d77fea3c2d6c9299"
                "727c2aa4f019491b5091c7077e9b2abc149afa2782f7ac79d1a0e3a4218fae5dd343a8efc9558703"
            ),
            b256!("fd4d960dad3e133878b89c0ff0bd1f5b1a0597baf179174cafb968afe7c88b9f"),
        ),
        (
            &hex!(
                "f865808459682f0082520894bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb808082f4f5a023c7830278c5"
                "b023baebb096dfcd9f233ed721e1c50911fa8ec1bb9120ec6702a01b10a2d1da664a261c479446e80111e8d0"
                "433d9cdb99159ca7462e144b7225a0"
            ),
            b256!("fce33eb5138a1d0a79522949d6f99a896aee0e121b09a52ac9ff5b6f7de2714b"),
        ),
        (
            &hex!(
                "01f8ad827a69800782ea608080820001f85bf85994ccccccccccccccccccccccccccccccccccccccccf842a0"
                "0000000000000000000000000000000000000000000000000000000000000001a00000000000000000000000"
                "00000000000000000000000000000000000000000280a022bd6d7bc0862eeebef46ab25adfabc7c45cd3b31d"
                "e108caf9cd3ea5e51c6e3aa001840aa2d3641fc7a82e2edcfa429ddfc6769511d6a8972a0ae6c2f349306a7a"
            ),
            b256!("a01942146de67a47070dc99eb1f2294cbdda32eeb55a5ba08c2b140963d2c26a"),
        ),
        (
            &hex!(
                "02f868827a698001847735940082520894bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0180c001a04568"
                "d4a4007bea41b94734de72d12997f710e7673e3d8099fb822ffc0b811aeda0613b43d6b11663da11375c147a"
                "7e52bc4bee037e15d389cb8a913a8ca3eb49c6"
            ),
            b256!("9a82d6ba30039a57ca5f069c3ab7123ae8110bbcca846184e191b5344ec3f8a3"),
        ),
        (
            &hex!(
                "04f8c5827a6980800a830186a094bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb8080c0f85ef85c827a69"
                "94dededededededededededededededededededede8080a0cebf2272e12be407cf61e4db2d281303d7405583"
                "053f54470ca92f51a3338002a05740e6aeb2383a4f5addf5b98484430dc9f6702531de91681e662b1960b830"
                "fd80a07f8aa7a1f561c6ebb79c846fac8fb3c474e4cfb6a5e7fa6b2bb18ba9d2d7d396a047b155961486a5d4"
                "5c44d0e15f73e6bb90ba04e4ea35e6bce4d862ad08f9b421"
            ),
            b256!("d89f75f3661dafebeda024c9ffab288734515fa59011494627cd34b702a4d32a"),
        ),
    ];
    for (transaction, (envelope, hash)) in one_of_each().iter().zip(frozen) {
        assert_eq!(&transaction.envelope()[..], envelope);
        assert_eq!(transaction.hash(), hash);
    }
}

#[test]
fn r_tx_2_6_digest_and_address() {
    let digest = b256!("56b8b780b4943821598dcbed2aebeb5a3bb02712e529425eab7f129c7a6ee143");
    assert_eq!(native_transfer().signing_hash(), digest);
    let address = "0x8Fd02F1E86268736B7EB7AbC4FA7a54c5B1597Bc";
    assert_eq!(native_transfer().sender().to_checksum(None), address);
}

#[test]
fn r_enc_6_receipt() {
    let bytes = hex!(
        "45f901450182a410b90100000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000004000000000000000000000000000000"
        "0000000000000000040000000000000000000000000000000000000000000010000000000000000000000000"
        "0000000000000000000000000000000000000008000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000040000000000000000000000000000000000000000000008000000000000000"
        "000000f83cf83a94cccccccccccccccccccccccccccccccccccccccce1a00000000000000000000000000000"
        "00000000000000000000000000000000000182c0de"
    );
    assert_eq!(receipt(0x45).encode(), bytes);
    assert_eq!(
        receipt(0).encode(),
        bytes[1..],
        "a legacy one has no type byte"
    );
    let mut forged = bytes;
    forged[20] ^= 1;
    let error = Receipt::decode(&forged).unwrap_err();
    assert_eq!(error, cairn_genesis::DecodeError::BloomMismatch);
}

/// The coinbase of these heights, made once. Only the height's push and the script's length differ.
#[test]
fn r_seal_1_2_coinbases() {
    let before =
        hex!("01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff");
    let after = hex!(
        "0c7477656c7665206279746573ffffffff020000000000000000266a2443524e31cccccccccccccccccccccc"
        "cccccccccccccccccccccccccccccccccccccccccc0000000000000000160014aaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaa00000000"
    );
    let scripts: [(u64, &[u8]); 6] = [
        (0, &hex!("0f0100")),
        (1, &hex!("0f0101")),
        (127, &hex!("0f017f")),
        (128, &hex!("10028000")),
        (32_767, &hex!("1002ff7f")),
        (32_768, &hex!("1103008000")),
    ];
    let (beneficiary, commitment) = (Address::repeat_byte(0xaa), B256::repeat_byte(0xcc));
    for (number, script) in scripts {
        let frozen = [&before[..], script, &after].concat();
        assert_eq!(
            coinbase(number, beneficiary, commitment, *b"twelve bytes"),
            frozen
        );
    }
}

#[test]
fn r_sta_1_account() {
    let (root, code) = (B256::repeat_byte(1), B256::repeat_byte(2));
    let leaf = account_rlp(7, U256::from(1_000), root, code);
    let start = hex!("f846078203e8a0");
    assert_eq!(leaf, [&start[..], &root[..], &[0xa0], &code[..]].concat());
}

#[test]
fn r_enc_7_roots() {
    // An empty list has the root of the empty trie, 0x80.
    let empty = b256!("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    assert_eq!(receipts_root(&[]), empty);
    assert_eq!(transactions_root(&Vec::<Transaction>::new()), empty);
    // A single leaf under the key rlp(0) = 0x80: an even path of a leaf, hex-prefixed by 0x20.
    let envelope = &one_of_each()[0];
    let leaf = [
        &hex!("822080")[..],
        &alloy_rlp::encode(&envelope.envelope()[..]),
    ]
    .concat();
    let mut node = Vec::new();
    let payload_length = leaf.len();
    alloy_rlp::Header {
        list: true,
        payload_length,
    }
    .encode(&mut node);
    node.extend(leaf);
    let root = alloy_primitives::keccak256(node);
    assert_eq!(transactions_root(std::slice::from_ref(envelope)), root);
}
