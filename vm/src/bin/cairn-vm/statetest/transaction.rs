//! From a fixture to what the machine runs: block and transaction.

use alloy_eips::{
    eip4844::fake_exponential,
    eip7702::{self, SignedAuthorization},
};
use alloy_primitives::{Address, Bytes, U256};
use cairn_vm::{Authorization, BlockEnv, TxEnv};

use super::{
    envelope::{self, EnvelopeError},
    fixture::{self, Fixture, Indexes, Post, Quantity, Transaction},
};

/// Osaka's BLOB_BASE_FEE_UPDATE_FRACTION (EIP-7691), for fixtures without a blob schedule.
const BLOB_BASE_FEE_UPDATE_FRACTION: u64 = 5_007_716;

/// What no transaction can express, or what only its envelope shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The fixture refers to an element that it has not.
    #[error("the fixture has no {part} of index {index}")]
    NoSuchIndex { part: &'static str, index: usize },
    /// A field is too large for the format.
    #[error("{field} does not fit into {bits} bits")]
    TooLarge { field: &'static str, bits: usize },
    /// EIP-7702: "The transaction is considered invalid if the length of authorization_list is zero."
    #[error("the authorization list is empty")]
    NoAuthorizations,
    /// The signed transaction breaks a rule.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

/// The block of a fixture.
pub fn block(fixture: &Fixture, fork: &str) -> BlockEnv {
    let env = &fixture.env;
    let schedule = fixture.config.blob_schedule.get(fork);
    let fraction = schedule.map_or(BLOB_BASE_FEE_UPDATE_FRACTION, |blobs| {
        blobs.base_fee_update_fraction.to()
    });
    let excess: u64 = env.current_excess_blob_gas.to();
    BlockEnv {
        number: env.current_number.to(),
        timestamp: env.current_timestamp.to(),
        beneficiary: env.current_coinbase,
        gas_limit: env.current_gas_limit.to(),
        base_fee: env.current_base_fee.to(),
        prevrandao: env.current_random.unwrap_or_default(),
        // EIP-4844: "fake_exponential(MIN_BASE_FEE_PER_BLOB_GAS, excess_blob_gas, BLOB_BASE_FEE_UPDATE_FRACTION)".
        blob_base_fee: fake_exponential(1, excess.into(), u128::from(fraction).max(1)),
        chain_id: fixture.config.chainid.to(),
    }
}

/// The transaction that belongs to a result.
pub fn transaction(fixture: &Fixture, post: &Post) -> Result<TxEnv, BuildError> {
    let tx = &fixture.transaction;
    let Indexes { data, gas, value } = post.indexes;
    let gas_price = tx.gas_price.unwrap_or(Quantity(Some(U256::ZERO)));
    let env = TxEnv {
        sender: tx.sender,
        nonce: fit(tx.nonce, "the nonce", u64::BITS)?,
        gas_limit: fit(
            *element(&tx.gas_limit, "gasLimit", gas)?,
            "the gas limit",
            u64::BITS,
        )?,
        max_fee: fit(
            tx.max_fee_per_gas.unwrap_or(gas_price),
            "the fee",
            u128::BITS,
        )?,
        max_priority_fee: fit(
            tx.max_priority_fee_per_gas.unwrap_or(gas_price),
            "the priority fee",
            u128::BITS,
        )?,
        to: tx.to,
        value: fit(*element(&tx.value, "value", value)?, "the value", 256)?,
        input: element(&tx.data, "data", data)?.clone(),
        access_list: access_list(tx, data),
        authorizations: authorizations(tx)?,
    };
    envelope(&post.txbytes, &env, fixture.config.chainid.to())?;
    Ok(env)
}

/// Not every fixture has the signed transaction.
fn envelope(bytes: &Bytes, env: &TxEnv, chain_id: u64) -> Result<(), EnvelopeError> {
    if bytes.is_empty() {
        Ok(())
    } else {
        envelope::check(bytes, env, chain_id)
    }
}

fn element<'a, T>(list: &'a [T], part: &'static str, index: usize) -> Result<&'a T, BuildError> {
    list.get(index)
        .ok_or(BuildError::NoSuchIndex { part, index })
}

fn fit<T: TryFrom<U256>>(
    number: Quantity,
    field: &'static str,
    bits: u32,
) -> Result<T, BuildError> {
    let number = number.0.and_then(|number| T::try_from(number).ok());
    number.ok_or(BuildError::TooLarge {
        field,
        bits: bits as usize,
    })
}

fn access_list(tx: &Transaction, index: usize) -> Vec<(Address, Vec<alloy_primitives::B256>)> {
    let list = tx.access_lists.get(index).and_then(Option::as_ref);
    let items = list.into_iter().flatten();
    items
        .map(|item| {
            (
                item.address,
                item.storage_keys.iter().map(|key| (*key).into()).collect(),
            )
        })
        .collect()
}

fn authorizations(tx: &Transaction) -> Result<Vec<Authorization>, BuildError> {
    let Some(list) = &tx.authorization_list else {
        return Ok(Vec::new());
    };
    if list.is_empty() {
        return Err(BuildError::NoAuthorizations);
    }
    list.iter().map(authorization).collect()
}

fn authorization(signed: &fixture::Authorization) -> Result<Authorization, BuildError> {
    let chain_id = fit(signed.chain_id, "an authorization's chain id", 256)?;
    let nonce = fit(signed.nonce, "an authorization's nonce", u64::BITS)?;
    let y_parity = signed.y_parity.or(signed.v).unwrap_or(Quantity(None));
    let y_parity = fit(y_parity, "an authorization's y parity", u8::BITS)?;
    let r = fit(signed.r, "an authorization's r", 256)?;
    let s = fit(signed.s, "an authorization's s", 256)?;
    let inner = eip7702::Authorization {
        chain_id,
        address: signed.address,
        nonce,
    };
    let signed = SignedAuthorization::new_unchecked(inner, y_parity, r, s);
    Ok(Authorization {
        chain_id,
        address: signed.address,
        nonce,
        authority: authority(&signed),
    })
}

/// Who signed an authorization, if anybody did.
fn authority(signed: &SignedAuthorization) -> Option<Address> {
    envelope::recover(&signed.signature().ok()?, signed.signature_hash()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn fixture(changes: &[(&str, Value)]) -> Fixture {
        let mut fixture = json!({
            "env": {
                "currentCoinbase": Address::repeat_byte(9), "currentGasLimit": "0x05f5e100", "currentNumber": "0x01",
                "currentTimestamp": "0x03e8", "currentRandom": alloy_primitives::B256::repeat_byte(8),
                "currentBaseFee": "0x0a", "currentExcessBlobGas": "0x140000"
            },
            "pre": {},
            "transaction": {
                "sender": Address::repeat_byte(1), "nonce": "0x00", "to": Address::repeat_byte(2), "data": ["0x", "0x01"],
                "gasLimit": ["0x5208", "0x0f4240"], "value": ["0x01"], "gasPrice": "0x0a",
                "accessLists": [null, [{"address": Address::repeat_byte(3), "storageKeys": ["0x07"]}]]
            },
            "post": {}
        });
        for (field, value) in changes {
            fixture["transaction"][*field] = value.clone();
        }
        serde_json::from_value(fixture).unwrap()
    }

    fn post(data: usize, gas: usize, value: usize) -> Post {
        let zero = alloy_primitives::B256::ZERO;
        serde_json::from_value(json!({
            "hash": zero, "logs": zero, "indexes": {"data": data, "gas": gas, "value": value}
        }))
        .unwrap()
    }

    fn build(changes: &[(&str, Value)]) -> Result<TxEnv, BuildError> {
        transaction(&fixture(changes), &post(0, 0, 0))
    }

    #[test]
    fn indexes_choose_data_gas_and_access_list() {
        let plain = build(&[]).unwrap();
        assert_eq!(
            (plain.gas_limit, plain.input.len(), plain.access_list.len()),
            (21_000, 0, 0)
        );
        let other = transaction(&fixture(&[]), &post(1, 1, 0)).unwrap();
        assert_eq!(
            (other.gas_limit, other.input.len(), other.access_list.len()),
            (1_000_000, 1, 1)
        );
        let missing = transaction(&fixture(&[]), &post(0, 0, 1));
        assert_eq!(
            missing,
            Err(BuildError::NoSuchIndex {
                part: "value",
                index: 1
            })
        );
    }

    #[test]
    fn a_gas_price_is_both_fees() {
        let legacy = build(&[]).unwrap();
        assert_eq!((legacy.max_fee, legacy.max_priority_fee), (10, 10));
        let dynamic = build(&[
            ("maxFeePerGas", json!("0x14")),
            ("maxPriorityFeePerGas", json!("0x05")),
        ])
        .unwrap();
        assert_eq!((dynamic.max_fee, dynamic.max_priority_fee), (20, 5));
    }

    #[test]
    fn what_no_transaction_can_hold_is_refused() {
        let large = format!("0x01{}", "00".repeat(32));
        let cases = [
            (
                "gasPrice",
                json!(large),
                BuildError::TooLarge {
                    field: "the fee",
                    bits: 128,
                },
            ),
            (
                "nonce",
                json!("0x010000000000000000"),
                BuildError::TooLarge {
                    field: "the nonce",
                    bits: 64,
                },
            ),
            (
                "value",
                json!([format!("0x:bigint {large}")]),
                BuildError::TooLarge {
                    field: "the value",
                    bits: 256,
                },
            ),
            ("authorizationList", json!([]), BuildError::NoAuthorizations),
        ];
        for (field, value, error) in cases {
            assert_eq!(build(&[(field, value)]), Err(error), "{field}");
        }
    }

    #[test]
    fn authorities_are_recovered_and_bad_signatures_have_none() {
        let list = |v: &str, r: &str, s: &str| {
            let address = Address::ZERO;
            let list = json!([{"chainId": "0x00", "address": address, "nonce": "0x00", "v": v, "r": r, "s": s}]);
            build(&[("authorizationList", list)])
                .unwrap()
                .authorizations[0]
                .authority
        };
        assert!(list("0x00", "0x01", "0x01").is_some());
        let order = "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        let high = "0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1";
        for (v, r, s) in [
            ("0x1b", "0x01", "0x01"),
            ("0x00", "0x00", "0x01"),
            ("0x00", order, "0x01"),
            ("0x00", "0x01", high),
        ] {
            assert_eq!(list(v, r, s), None, "{v} {r} {s}");
        }
    }

    #[test]
    fn the_blob_base_fee_follows_from_the_excess() {
        assert_eq!(block(&fixture(&[]), "Osaka").blob_base_fee, 1);
        let mut later = fixture(&[]);
        later.env.current_excess_blob_gas = alloy_primitives::U64::from(50_000_000);
        assert_eq!(block(&later, "Osaka").blob_base_fee, 21_689);
    }

    #[test]
    fn a_transaction_without_target_creates() {
        for to in [json!(""), json!(null)] {
            assert!(build(&[("to", to)]).unwrap().to.is_create());
        }
    }
}
