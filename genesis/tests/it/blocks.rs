//! Blocks: R-HDR, R-SEAL, R-BLK, R-DIF, R-FEE, R-EXE as far as this crate checks them.

use alloy_primitives::{B256, U256};
use cairn_genesis::{
    AsertParameters, Block, BlockFault, ChainSpec, DecodeError, Difficulty, Header, InvalidBlock,
    MAX_NUMBER, MAX_TIMESTAMP, NotYet, ParentTimes, Receipt, Seal, SealedHeader, Target,
    Transaction, TransactionError, VerifiedBlock,
    check::{
        after_execution,
        after_parent::{self, Linked, Parent},
        alone,
    },
    receipts_root,
};

use crate::{
    fixtures::{block, child_header, dev, mine, native_transfer, sign_native, transfer, verified},
    transactions::one_of_each,
};

/// Judgement of `dev` on a header that was changed and then sealed.
fn sealed(change: impl FnOnce(&mut Header)) -> Result<SealedHeader, InvalidBlock> {
    let mut header = child_header(&[]);
    change(&mut header);
    alone::header(dev(), &header, &mine(&header))
}

/// Judgement on a seal that was changed; other extranonces are tried until the target is met.
fn resealed(change: impl FnOnce(&mut Seal)) -> Result<SealedHeader, InvalidBlock> {
    let header = child_header(&[]);
    let mut seal = mine(&header);
    change(&mut seal);
    while !dev()
        .pow_limit()
        .is_met_by(cairn_genesis::block_hash(&header, &seal))
    {
        seal.extranonce[0] = seal.extranonce[0].wrapping_add(1);
    }
    alone::header(dev(), &header, &seal)
}

/// Judgement of the child's link to its parent, `dev`'s genesis block.
fn linked(change: impl FnOnce(&mut Header)) -> Result<Linked, InvalidBlock> {
    let genesis = dev().genesis_block();
    let parent = Parent {
        hash: genesis.hash(),
        header: &genesis.header,
        skipped: 0,
        work: U256::from(2),
    };
    after_parent::header(dev(), &parent, &sealed(change)?)
}

#[test]
fn r_hdr_1_parent_hash() {
    linked(|_| ()).unwrap();
    let error = linked(|header| header.parent_hash = B256::ZERO).unwrap_err();
    let (expected, got) = (dev().genesis_hash(), B256::ZERO);
    assert_eq!(error, InvalidBlock::ParentHash { expected, got });
}

#[test]
fn r_hdr_2_number() {
    sealed(|header| header.number = MAX_NUMBER).unwrap();
    for got in [0, MAX_NUMBER + 1, u64::MAX] {
        let error = sealed(|header| header.number = got).unwrap_err();
        let max = MAX_NUMBER;
        assert_eq!(error, InvalidBlock::NumberRange { got, max });
    }
    let error = linked(|header| header.number = 2).unwrap_err();
    let (expected, got) = (1, 2);
    assert_eq!(error, InvalidBlock::Number { expected, got });
}

#[test]
fn r_hdr_3_timestamp_after_the_parents() {
    let genesis = dev().genesis_time;
    linked(|header| header.timestamp = genesis + 1).unwrap();
    let error = linked(|header| header.timestamp = genesis).unwrap_err();
    let (earliest, got) = (genesis + 1, genesis);
    assert_eq!(error, InvalidBlock::TimestampTooEarly { earliest, got });
}

#[test]
fn r_hdr_4_timestamp_that_can_be_sealed() {
    sealed(|header| header.timestamp = MAX_TIMESTAMP).unwrap();
    let (max, got) = (MAX_TIMESTAMP, MAX_TIMESTAMP + 1);
    let error = sealed(|header| header.timestamp = got).unwrap_err();
    assert_eq!(error, InvalidBlock::TimestampRange { got, max });
}

#[test]
fn r_hdr_5_6_gas() {
    let expected = dev().gas_limit;
    sealed(|header| header.gas_used = expected).unwrap();
    let got = expected + 1;
    let error = sealed(|header| header.gas_limit = got).unwrap_err();
    assert_eq!(error, InvalidBlock::GasLimit { expected, got });
    let limit = expected;
    let error = sealed(|header| header.gas_used = got).unwrap_err();
    assert_eq!(error, InvalidBlock::GasUsedAboveLimit { limit, got });
}

#[test]
fn r_hdr_7_future_blocks_are_not_yet_valid() {
    let devnet = ChainSpec::builtin("devnet").unwrap();
    let mut header = child_header(&[]);
    header.timestamp = 1_015;
    let not_yet = |now_s| after_parent::not_yet(devnet, &header, now_s);
    assert_eq!(not_yet(1_000), None);
    let latest = 1_014;
    let later = NotYet {
        timestamp: 1_015,
        latest,
    };
    assert_eq!(not_yet(999), Some(later));
    assert_eq!(later.wait_s(), 1);
    assert_eq!(
        after_parent::not_yet(dev(), &header, 0),
        None,
        "dev has no bound"
    );
}

#[test]
fn r_hdr_8_extra() {
    sealed(|header| header.extra = [1; 32].into()).unwrap();
    let (limit, got) = (32, 33);
    let error = sealed(|header| header.extra = [1; 33].into()).unwrap_err();
    assert_eq!(error, InvalidBlock::ExtraTooLong { limit, got });
    let mut block = block();
    block.header.extra = [1; 33].into();
    let error = Block::decode(&block.encode(), 10_000).unwrap_err();
    assert_eq!(error, DecodeError::ExtraTooLong { limit, got });
}

#[test]
fn r_seal_3_version() {
    resealed(|seal| seal.version = 0x3fff_e000).unwrap();
    for got in [0x2000_0001, 0x0000_0000, 0x6000_0000, 0x2000_1000] {
        let error = resealed(|seal| seal.version = got).unwrap_err();
        let expected = 0x2000_0000;
        assert_eq!(error, InvalidBlock::SealVersion { expected, got });
    }
}

#[test]
fn r_seal_4_time() {
    let earliest = child_header(&[]).timestamp;
    let latest = earliest + 600;
    let at = |time: u64| resealed(|seal| seal.time = u32::try_from(time).unwrap());
    at(earliest).unwrap();
    at(latest).unwrap();
    for got in [earliest - 1, latest + 1] {
        let error = InvalidBlock::SealTime {
            earliest,
            latest,
            got,
        };
        assert_eq!(at(got), Err(error));
    }
}

#[test]
fn r_seal_6_proof_of_work() {
    let header = child_header(&[]);
    let mut seal = mine(&header);
    let good = alone::header(dev(), &header, &seal).unwrap();
    assert_eq!(good.hash(), cairn_genesis::block_hash(&header, &seal));
    while dev()
        .pow_limit()
        .is_met_by(cairn_genesis::block_hash(&header, &seal))
    {
        seal.nonce += 1;
    }
    let hash = cairn_genesis::block_hash(&header, &seal);
    let target = dev().pow_limit().value();
    let error = alone::header(dev(), &header, &seal).unwrap_err();
    assert_eq!(error, InvalidBlock::ProofOfWork { hash, target });
}

#[test]
fn r_dif_1_2_3_bits() {
    let error = sealed(|header| header.bits = 0).unwrap_err();
    assert!(matches!(error, InvalidBlock::Bits(_)));
    let (limit, got) = (0x207f_ffff, 0x2100_8000);
    let error = sealed(|header| header.bits = got).unwrap_err();
    assert_eq!(error, InvalidBlock::BitsAboveLimit { limit, got });
    // Harder than it must be is wrong too.
    let (expected, got) = (0x207f_ffff, 0x207f_fffe);
    let error = linked(|header| header.bits = got).unwrap_err();
    assert_eq!(error, InvalidBlock::Difficulty { expected, got });
}

/// A chain with ASERT whose targets are met at once.
fn asert_chain() -> ChainSpec {
    let mut spec = ChainSpec::builtin("devnet").unwrap().clone();
    spec.gas_limit = dev().gas_limit;
    spec.difficulty = Difficulty::Asert(AsertParameters {
        anchor_bits: 0x200f_ffff,
        pow_limit: 0x207f_ffff,
        half_life: 3_600,
        stall_relief: 120,
        gap_cap: Some(240),
    });
    spec.validate().unwrap();
    spec
}

/// Judgement of the chain on a child with these bits, `after` seconds after its parent.
fn child_at(
    spec: &ChainSpec,
    parent: &Parent<'_>,
    after: u64,
    bits: u32,
) -> Result<(Header, Linked), InvalidBlock> {
    let header = Header {
        parent_hash: parent.hash,
        number: parent.header.number + 1,
        timestamp: parent.header.timestamp + after,
        bits,
        base_fee: spec.next_base_fee(parent.header),
        ..child_header(&[])
    };
    let sealed = alone::header(spec, &header, &mine(&header))?;
    after_parent::header(spec, parent, &sealed).map(|linked| (header, linked))
}

#[test]
fn r_dif_3_4_5_6_bits_follow_parent_and_timestamp() {
    let spec = &asert_chain();
    let genesis = spec.genesis_block();
    let root = Parent {
        hash: genesis.hash(),
        header: &genesis.header,
        skipped: 0,
        work: U256::from(16),
    };
    let wrong = |got: u32, expected: u32| InvalidBlock::Difficulty { expected, got };
    let (anchor, relieved, limit) = (0x200f_ffff, 0x201f_fffe, 0x207f_ffff);
    // In time: the anchor's bits, not easier ones. After 120 s: twice the target, not the same.
    child_at(spec, &root, 2, anchor).unwrap();
    assert_eq!(
        child_at(spec, &root, 2, relieved),
        Err(wrong(relieved, anchor))
    );
    child_at(spec, &root, 120, relieved).unwrap();
    assert_eq!(
        child_at(spec, &root, 120, anchor),
        Err(wrong(anchor, relieved))
    );
    // After 370 s: 2^6 times the target is beyond the limit, and 130 s are skipped.
    let (header, linked) = child_at(spec, &root, 370, limit).unwrap();
    assert_eq!(linked.skipped, 130);
    let parent = |skipped| Parent {
        hash: cairn_genesis::block_hash(&header, &mine(&header)),
        header: &header,
        skipped,
        work: linked.work,
    };
    let bits = |skipped| {
        let (number, timestamp) = (header.number, header.timestamp);
        let times = ParentTimes {
            number,
            timestamp,
            skipped,
        };
        spec.next_bits(&times, timestamp + 2).bits
    };
    assert!(
        bits(130) < bits(0),
        "the skipped time would have made the block easier"
    );
    child_at(spec, &parent(130), 2, bits(130)).unwrap();
    let error = child_at(spec, &parent(130), 2, bits(0)).unwrap_err();
    assert_eq!(error, wrong(bits(0), bits(130)));
}

#[test]
fn r_fee_1_base_fee() {
    let expected = 875_000_000;
    linked(|header| header.base_fee = expected).unwrap();
    let got = expected + 1;
    let error = linked(|header| header.base_fee = got).unwrap_err();
    assert_eq!(error, InvalidBlock::BaseFee { expected, got });
}

#[test]
fn r_fee_3_free_chains_stay_free() {
    let mut spec = dev().clone();
    (spec.base_fee_start, spec.base_fee_floor) = (0, 0);
    let mut full = child_header(&[]);
    (full.base_fee, full.gas_used) = (0, full.gas_limit);
    assert_eq!(spec.next_base_fee(&full), 0);
    spec.base_fee_start = 1;
    assert_eq!(
        spec.next_base_fee(&full),
        1,
        "but a chain that starts at 1 may come back from 0"
    );
}

#[test]
fn r_fork_1_work_is_summed() {
    let linked = linked(|_| ()).unwrap();
    assert_eq!(
        linked,
        Linked {
            work: U256::from(4),
            skipped: 0
        }
    );
    let one = Target::from_bits(0x1d00_ffff).unwrap();
    assert_eq!(
        one.work(),
        U256::from(0x1_0001_0001_u64),
        "Bitcoin's block 0"
    );
}

#[test]
fn r_blk_1_a_body_that_is_not_the_headers_is_mutated() {
    let good = alone::block(dev(), block()).unwrap();
    assert_eq!(good.transactions().len(), 2);
    let mut other = block();
    other.transactions.pop();
    let fault = alone::block(dev(), other).unwrap_err();
    assert!(matches!(fault, BlockFault::Mutated { .. }), "{fault}");
    // Even with an invalid transaction: nothing is said about the block.
    let mut other = block();
    other
        .transactions
        .push(Transaction::native(native_transfer(), [0; 64]));
    let fault = alone::block(dev(), other).unwrap_err();
    assert!(matches!(fault, BlockFault::Mutated { .. }), "{fault}");
}

#[test]
fn r_blk_2_size() {
    let mut spec = dev().clone();
    spec.max_block_bytes = block().size_bytes();
    alone::block(&spec, block()).unwrap();
    spec.max_block_bytes -= 1;
    let (limit, got) = (spec.max_block_bytes, block().size_bytes());
    let fault = alone::block(&spec, block()).unwrap_err();
    assert_eq!(fault, InvalidBlock::TooLarge { limit, got }.into());
    let error = Block::decode(&block().encode(), limit).unwrap_err();
    assert_eq!(error, DecodeError::TooLong { got, limit });
}

#[test]
fn r_blk_3_every_transaction_is_valid() {
    let mut transactions = vec![sign_native(native_transfer())];
    transactions.push(Transaction::native(native_transfer(), [0; 64]));
    let header = child_header(&transactions);
    let seal = mine(&header);
    let bad = Block {
        header,
        seal,
        transactions,
    };
    let (index, source) = (1, TransactionError::Ed25519);
    let fault = alone::block(dev(), bad).unwrap_err();
    assert_eq!(fault, InvalidBlock::Transaction { index, source }.into());
}

#[test]
fn blocks_of_our_own_take_verified_transactions() {
    let block = block();
    let transactions: Vec<_> = block.transactions.iter().cloned().map(verified).collect();
    let seal = |spec, transactions| {
        VerifiedBlock::seal(spec, block.header.clone(), block.seal, transactions)
    };
    let sealed = seal(dev(), transactions.clone()).unwrap();
    assert_eq!(sealed, alone::block(dev(), block.clone()).unwrap());
    assert_eq!(sealed.encode(), block.encode());
    assert_eq!(sealed.size_bytes(), block.encode().len());
    let error = seal(dev(), transactions[..1].to_vec()).unwrap_err();
    assert!(matches!(error, InvalidBlock::TransactionsRoot { .. }));
    let mut other = dev().clone();
    other.chain_id = 1;
    let source = TransactionError::ChainId {
        expected: 1,
        got: dev().chain_id,
    };
    let error = seal(&other, transactions).unwrap_err();
    assert_eq!(error, InvalidBlock::Transaction { index: 0, source });
}

#[test]
#[should_panic(expected = "neither reorder nor replace")]
fn a_verifier_must_return_what_it_was_given() {
    let swap =
        |transactions: Vec<Transaction>| Ok(transactions.into_iter().rev().map(verified).collect());
    let _ = alone::block_with(dev(), block(), swap);
}

#[test]
fn r_enc_5_typed_transactions_are_strings_and_legacy_ones_lists() {
    let transactions = one_of_each();
    let header = child_header(&transactions);
    let seal = mine(&header);
    let block = Block {
        header,
        seal,
        transactions,
    };
    assert_eq!(Block::decode(&block.encode(), 10_000).as_ref(), Ok(&block));
    // A legacy transaction, wrapped into a string.
    let legacy = block.transactions[2].envelope();
    let wrapped = alloy_rlp::encode(&legacy[..]);
    let (short, long) = (&block.header.encode(), &block.seal.encode());
    let list = |payload: &[u8]| {
        let mut bytes = Vec::new();
        alloy_rlp::Header {
            list: true,
            payload_length: payload.len(),
        }
        .encode(&mut bytes);
        [&bytes, payload].concat()
    };
    let bytes = list(&[&short[..], long, &list(&wrapped)].concat());
    let source = TransactionError::LegacyInString;
    let error = Block::decode(&bytes, 10_000).unwrap_err();
    assert_eq!(error, DecodeError::Transaction { index: 0, source });
    let plain = list(&[&short[..], long, &list(legacy)].concat());
    Block::decode(&plain, 10_000).unwrap();
}

#[test]
fn r_enc_2_nothing_follows_and_no_item_is_extra() {
    let bytes = block().encode();
    let trailing = [&bytes[..], &[0]].concat();
    let error = Block::decode(&trailing, 10_000).unwrap_err();
    assert_eq!(error, DecodeError::TrailingBytes { bytes: 1 });
    let seal = block().seal.encode();
    let mut longer = seal.clone();
    longer[0] += 1;
    longer.push(0x80);
    let error = Seal::decode(&longer).unwrap_err();
    assert_eq!(
        error,
        DecodeError::ExtraItems {
            list: "seal",
            bytes: 1
        }
    );
    let mut shorter = seal[..seal.len() - 13].to_vec();
    shorter[0] -= 13;
    let error = Seal::decode(&shorter).unwrap_err();
    assert!(matches!(
        error,
        DecodeError::Field {
            field: "extranonce",
            ..
        }
    ));
}

#[test]
fn r_exe_7_8_9_what_execution_gives() {
    let receipts = [Receipt {
        tx_type: 0x45,
        success: true,
        cumulative_gas_used: 21_000,
        logs: vec![],
    }];
    let mut header = child_header(&[verified(crate::fixtures::sign(transfer())).as_ref().clone()]);
    header.receipts_root = receipts_root(&receipts);
    let root = header.state_root;
    let check = |gas_used, receipts: &[Receipt], state_root| {
        after_execution::block(&header, gas_used, receipts, state_root)
    };
    check(21_000, &receipts, root).unwrap();
    let error = check(21_001, &receipts, root).unwrap_err();
    assert_eq!(
        error,
        InvalidBlock::GasUsed {
            expected: 21_000,
            got: 21_001
        }
    );
    let error = check(21_000, &[], root).unwrap_err();
    assert!(matches!(error, InvalidBlock::ReceiptsRoot { .. }));
    let error = check(21_000, &receipts, B256::ZERO).unwrap_err();
    assert_eq!(
        error,
        InvalidBlock::StateRoot {
            expected: root,
            got: B256::ZERO
        }
    );
}
