//! Transactions without state: R-TX.

use alloy_consensus::{TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Signature, TxKind, U256, hex, uint};
use cairn_genesis::{
    NativeTransaction, Transaction, TransactionError, VerifiedTransaction, floor_gas,
    intrinsic_gas, native_address,
};

use crate::fixtures::{
    authorization, dev, ed25519_key, native_transfer, sign, sign_native, signature, signer,
    transfer, verified,
};

const ORDER: U256 = uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

fn verify(transaction: Transaction) -> Result<VerifiedTransaction, TransactionError> {
    VerifiedTransaction::new(transaction, dev().chain_id)
}

fn refused(transaction: Transaction) -> TransactionError {
    verify(transaction).unwrap_err()
}

fn native(change: impl FnOnce(&mut NativeTransaction)) -> Transaction {
    let mut body = native_transfer();
    change(&mut body);
    sign_native(body)
}

fn legacy() -> TxLegacy {
    TxLegacy {
        chain_id: Some(dev().chain_id),
        gas_price: 1_500_000_000,
        gas_limit: 21_000,
        to: TxKind::Call(Address::repeat_byte(0xbb)),
        ..Default::default()
    }
}

fn delegation() -> TxEip7702 {
    TxEip7702 {
        chain_id: dev().chain_id,
        gas_limit: 100_000,
        max_fee_per_gas: 10,
        to: Address::repeat_byte(0xbb),
        authorization_list: vec![authorization(dev().chain_id, 0)],
        ..Default::default()
    }
}

/// One of each type.
pub fn one_of_each() -> Vec<Transaction> {
    let with_list = TxEip2930 {
        chain_id: dev().chain_id,
        gas_price: 7,
        gas_limit: 60_000,
        access_list: access_list(),
        input: hex!("0001").into(),
        ..Default::default()
    };
    let native_list = native(|body| {
        body.access_list = access_list();
        body.gas_limit = 100_000;
        body.to = TxKind::Create;
        body.input = hex!("600a600c").into();
    });
    vec![
        sign_native(native_transfer()),
        native_list,
        sign(legacy()),
        sign(with_list),
        sign(transfer()),
        sign(delegation()),
    ]
}

fn access_list() -> AccessList {
    AccessList(vec![AccessListItem {
        address: Address::repeat_byte(0xcc),
        storage_keys: vec![B256::with_last_byte(1), B256::with_last_byte(2)],
    }])
}

#[test]
fn r_tx_1_types() {
    let types: Vec<u8> = one_of_each().iter().map(Transaction::tx_type).collect();
    assert_eq!(types, [0x45, 0x45, 0, 1, 2, 4]);
    for transaction in one_of_each() {
        assert_eq!(Transaction::decode(transaction.envelope()), Ok(transaction));
    }
    let decode = |bytes: &[u8]| Transaction::decode(bytes).unwrap_err();
    assert_eq!(decode(&[]), TransactionError::Empty);
    assert_eq!(decode(&hex!("03c0")), TransactionError::Blob);
    assert_eq!(
        decode(&hex!("05c0")),
        TransactionError::UnknownType { got: 5 }
    );
    assert_eq!(
        decode(&hex!("00c0")),
        TransactionError::UnknownType { got: 0 }
    );
    assert_eq!(
        decode(&hex!("80")),
        TransactionError::UnknownType { got: 0x80 }
    );
}

#[test]
fn r_tx_3_legacy_transactions_name_their_chain() {
    verify(sign(legacy())).unwrap();
    let body = TxLegacy {
        chain_id: None,
        ..legacy()
    };
    let error = Transaction::ethereum(body, signature(B256::ZERO)).unwrap_err();
    assert_eq!(error, TransactionError::NoChainId);
    // The example of EIP-155, with v = 27 instead of 37.
    let unprotected = hex!(
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7640000801b"
        "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
        "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    );
    let error = Transaction::decode(&unprotected).unwrap_err();
    assert_eq!(error, TransactionError::NoChainId);
}

#[test]
fn r_tx_4_the_example_of_eip_155_recovers_its_sender() {
    let envelope = hex!(
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025"
        "a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
        "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    );
    let transaction = Transaction::decode(&envelope).unwrap();
    let sender = VerifiedTransaction::new(transaction, 1).unwrap().sender();
    let known = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F";
    assert_eq!(sender.to_checksum(None), known);
}

#[test]
fn r_tx_4_signatures_are_in_range_and_low() {
    assert_eq!(verified(sign(transfer())).sender(), signer());
    let good = signature(cairn_genesis::Body::from(transfer()).signing_hash());
    let with = |r, s, parity| {
        refused(Transaction::ethereum(transfer(), Signature::new(r, s, parity)).unwrap())
    };
    let (r, s, parity) = (good.r(), good.s(), good.v());
    assert_eq!(with(r, ORDER - s, !parity), TransactionError::HighS);
    for (r, s) in [
        (U256::ZERO, s),
        (r, U256::ZERO),
        (ORDER, s),
        (r, ORDER),
        (r, U256::MAX),
    ] {
        assert_eq!(with(r, s, parity), TransactionError::SignatureRange);
    }
    // No point of the curve has x = 5.
    assert_eq!(with(U256::from(5), s, parity), TransactionError::NoSigner);
}

#[test]
fn r_tx_5_native_signatures() {
    let transaction = sign_native(native_transfer());
    let key = ed25519_key().verifying_key().to_bytes();
    assert_eq!(verified(transaction).sender(), native_address(&key));
    let mut signature = [0; 64];
    signature[0] = 1;
    let forged = Transaction::native(native_transfer(), signature);
    assert_eq!(refused(forged), TransactionError::Ed25519);
    let error = Transaction::ethereum(native_transfer(), crate::fixtures::signature(B256::ZERO));
    assert_eq!(error, Err(TransactionError::SignatureScheme));
}

#[test]
fn r_tx_7_chain_id() {
    verify(native(|_| ())).unwrap();
    let (expected, got) = (dev().chain_id, 1);
    let error = TransactionError::ChainId { expected, got };
    assert_eq!(refused(native(|body| body.chain_id = 1)), error);
    let other = TxLegacy {
        chain_id: Some(1),
        ..legacy()
    };
    assert_eq!(refused(sign(other)), error);
}

#[test]
fn r_tx_8_nonce() {
    verify(native(|body| body.nonce = u64::MAX - 1)).unwrap();
    let error = refused(native(|body| body.nonce = u64::MAX));
    assert_eq!(error, TransactionError::NonceTooHigh);
}

#[test]
fn r_tx_9_intrinsic_gas_and_floor() {
    let required = |transaction: &Transaction| (intrinsic_gas(transaction), floor_gas(transaction));
    assert_eq!(required(&native(|_| ())), (21_000, 21_000));
    // 4 for a zero byte and 16 for any other; 10 and 40 under the floor.
    let data = native(|body| body.input = hex!("00ff").into());
    assert_eq!(required(&data), (21_020, 21_050));
    // Creation 32,000, and 2 for each of two words.
    let create = native(|body| {
        body.to = TxKind::Create;
        body.input = [1; 33].into();
    });
    assert_eq!(required(&create).0, 21_000 + 32_000 + 33 * 16 + 2 * 2);
    let list = native(|body| body.access_list = access_list());
    assert_eq!(required(&list).0, 21_000 + 2_400 + 2 * 1_900);
    assert_eq!(required(&sign(delegation())).0, 21_000 + 25_000);

    let enough = native(|body| body.gas_limit = 21_000);
    verify(enough).unwrap();
    let (required, got) = (21_000, 20_999);
    let error = refused(native(|body| body.gas_limit = got));
    assert_eq!(error, TransactionError::GasLimitTooLow { required, got });
    // The intrinsic gas is there, but not the floor.
    let error = refused(native(|body| {
        body.input = hex!("00ff").into();
        body.gas_limit = 21_049;
    }));
    let (required, got) = (21_050, 21_049);
    assert_eq!(error, TransactionError::GasLimitTooLow { required, got });
}

#[test]
fn r_tx_10_gas_cap() {
    verify(native(|body| body.gas_limit = 1 << 24)).unwrap();
    let (limit, got) = (1 << 24, (1 << 24) + 1);
    let error = refused(native(|body| body.gas_limit = got));
    assert_eq!(error, TransactionError::GasLimitTooHigh { limit, got });
}

#[test]
fn r_tx_11_init_code() {
    let create = |length: usize| {
        native(|body| {
            body.to = TxKind::Create;
            body.gas_limit = 1 << 24;
            body.input = vec![0; length].into();
        })
    };
    verify(create(49_152)).unwrap();
    let (limit, got) = (49_152, 49_153);
    assert_eq!(
        refused(create(got)),
        TransactionError::InitCodeTooLong { limit, got }
    );
    let call = native(|body| {
        body.gas_limit = 1 << 24;
        body.input = vec![0; 49_153].into();
    });
    verify(call).unwrap();
}

#[test]
fn r_tx_12_priority_fee() {
    let fees =
        |priority, max| native(|body| (body.max_priority_fee, body.max_fee) = (priority, max));
    verify(fees(5, 5)).unwrap();
    verify(fees(u128::MAX, u128::MAX)).unwrap();
    let (priority, max) = (6, 5);
    let error = refused(fees(priority, max));
    assert_eq!(
        error,
        TransactionError::PriorityFeeAboveMaxFee { priority, max }
    );
}

#[test]
fn r_tx_13_delegations() {
    let authorities = |list| {
        let body = TxEip7702 {
            authorization_list: list,
            gas_limit: 500_000,
            ..delegation()
        };
        verify(sign(body)).map(|transaction| transaction.authorities().to_vec())
    };
    let id = dev().chain_id;
    let good = authorization(id, 3);
    let high_s = cairn_high_s(&good);
    let odd_parity = alloy_eips::eip7702::SignedAuthorization::new_unchecked(
        good.inner().clone(),
        2,
        good.r(),
        good.s(),
    );
    let list = vec![
        good.clone(),
        authorization(0, 3),
        authorization(id + 1, 3),
        authorization(id, u64::MAX),
        high_s,
        odd_parity,
    ];
    let signer = Some(signer());
    let expected = vec![signer, signer, None, None, None, None];
    assert_eq!(authorities(list), Ok(expected));
    assert_eq!(authorities(vec![]), Err(TransactionError::NoAuthorizations));
}

fn cairn_high_s(
    good: &alloy_eips::eip7702::SignedAuthorization,
) -> alloy_eips::eip7702::SignedAuthorization {
    let parity = 1 - good.y_parity();
    alloy_eips::eip7702::SignedAuthorization::new_unchecked(
        good.inner().clone(),
        parity,
        good.r(),
        ORDER - good.s(),
    )
}

#[test]
fn r_tx_13_a_delegation_cannot_create() {
    // The same transaction with an empty `to`, its lengths corrected.
    let envelope = sign(delegation()).envelope().to_vec();
    let at = envelope
        .windows(20)
        .position(|window| window == [0xbb; 20])
        .unwrap();
    let mut fields = envelope[3..].to_vec();
    fields.splice(at - 4..at + 17, [0x80]);
    let length = u8::try_from(fields.len()).unwrap();
    let create = [&[0x04, 0xf8, length], &fields[..]].concat();
    assert!(matches!(
        Transaction::decode(&create),
        Err(TransactionError::Rlp(_))
    ));
}

#[test]
fn effective_prices_follow_eip_1559() {
    let dynamic = native(|body| (body.max_priority_fee, body.max_fee) = (2, 10));
    let prices = |base_fee| {
        (
            dynamic.effective_gas_price(base_fee),
            dynamic.effective_tip(base_fee),
        )
    };
    assert_eq!(prices(0), (2, Some(2)));
    assert_eq!(prices(8), (10, Some(2)));
    assert_eq!(prices(9), (10, Some(1)));
    assert_eq!(prices(11).1, None);
    let fixed = sign(legacy());
    assert_eq!(fixed.effective_tip(1_000_000_000), Some(500_000_000));
    assert_eq!(
        (fixed.is_dynamic_fee(), dynamic.is_dynamic_fee()),
        (false, true)
    );
}
