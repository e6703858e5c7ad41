//! R-TX-5: which Ed25519 signatures count, pinned by every public edge case.

use alloy_primitives::hex;
use cairn_genesis::verify_ed25519;
use serde_json::Value;

use crate::vectors;

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// A signature of another length than 64 bytes cannot even be put to the function.
fn accepts(key: &Value, message: &[u8], signature: &Value) -> bool {
    let key = bytes(key).try_into().unwrap();
    bytes(signature)
        .try_into()
        .is_ok_and(|signature| verify_ed25519(&key, message, &signature))
}

/// dalek's own judgement.
fn dalek_strict(key: &Value, message: &[u8], signature: &Value) -> bool {
    let key: [u8; 32] = bytes(key).try_into().unwrap();
    let (Ok(key), Ok(signature)) = (
        ed25519_dalek::VerifyingKey::from_bytes(&key),
        ed25519_dalek::Signature::from_slice(&bytes(signature)),
    ) else {
        return false;
    };
    key.verify_strict(message, &signature).is_ok()
}

#[test]
fn cctv() {
    let Some(cases) = vectors::json("small/cctv/ed25519/ed25519vectors.json") else {
        return;
    };
    let mut accepted = 0;
    for case in cases.as_array().unwrap() {
        let message = case["msg"].as_str().unwrap().as_bytes();
        let (key, signature) = (&case["key"], &case["sig"]);
        let flags = case["flags"].as_array().map_or(&[][..], Vec::as_slice);
        // Components of low order are allowed, points of low order are not.
        let allowed = |flag: &Value| flag.as_str().unwrap().starts_with("low_order_component_");
        let expected = flags.iter().all(allowed);
        assert_eq!(accepts(key, message, signature), expected, "{case}");
        assert_eq!(dalek_strict(key, message, signature), expected, "{case}");
        accepted += usize::from(expected);
    }
    assert_eq!((cases.as_array().unwrap().len(), accepted), (914, 43));
}

#[test]
fn speccheck() {
    let Some(cases) = vectors::json("small/ed25519-speccheck/cases.json") else {
        return;
    };
    let accepted = |case: &Value| {
        let (key, message) = (&case["pub_key"], bytes(&case["message"]));
        let accepts = accepts(key, &message, &case["signature"]);
        assert_eq!(
            accepts,
            dalek_strict(key, &message, &case["signature"]),
            "{case}"
        );
        accepts
    };
    let accepted: Vec<bool> = cases.as_array().unwrap().iter().map(accepted).collect();
    // The row "Dalek strict" of its table of results: only number 3.
    let expected: Vec<bool> = (0..12).map(|number| number == 3).collect();
    assert_eq!(accepted, expected);
}

#[test]
fn wycheproof() {
    let Some(file) = vectors::json("small/wycheproof/ed25519_test.json") else {
        return;
    };
    let mut tests = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = &group["publicKey"]["pk"];
        for test in group["tests"].as_array().unwrap() {
            let message = bytes(&test["msg"]);
            let accepts = accepts(key, &message, &test["sig"]);
            assert_eq!(accepts, test["result"] == "valid", "{test}");
            assert_eq!(accepts, dalek_strict(key, &message, &test["sig"]), "{test}");
            tests += 1;
        }
    }
    assert_eq!(file["numberOfTests"], tests);
}

/// No signature under such a key is known that the equation would accept; see `verify_ed25519`.
#[test]
fn keys_above_the_field_are_refused() {
    for lowest in 0xed..=0xff {
        let mut key = [0xff; 32];
        (key[0], key[31]) = (lowest, 0x7f);
        assert!(!verify_ed25519(&key, b"", &[0; 64]));
    }
}
