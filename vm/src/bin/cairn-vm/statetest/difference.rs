//! What two states differ in, in lines that people read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use alloy_primitives::U256;

use crate::world::{Account, World};

/// A line for each account that only one of them has, and for each field and slot that is not the same.
pub fn differences(got: &World, expected: &World) -> Vec<String> {
    let (got, expected) = (got.accounts(), expected.accounts());
    let addresses: BTreeSet<_> = got.keys().chain(expected.keys()).collect();
    let mut lines = Vec::new();
    for address in addresses {
        match (got.get(address), expected.get(address)) {
            (Some(_), None) => lines.push(format!("{address} is there, expected none")),
            (None, Some(_)) => lines.push(format!("{address} is missing")),
            (Some(got), Some(expected)) => {
                let fields = fields(got, expected);
                lines.extend(fields.map(|field| format!("{address} {field}")));
            }
            (None, None) => {}
        }
    }
    lines
}

fn fields(got: &Account, expected: &Account) -> impl Iterator<Item = String> {
    let fields = [
        field("nonce", &got.nonce, &expected.nonce),
        field("balance", &got.balance, &expected.balance),
        field("code", &got.code, &expected.code),
    ];
    fields
        .into_iter()
        .flatten()
        .chain(slots(&got.storage, &expected.storage))
}

fn field<T: PartialEq + Display>(name: &str, got: &T, expected: &T) -> Option<String> {
    (got != expected).then(|| format!("{name}: {got}, expected {expected}"))
}

fn slots(got: &BTreeMap<U256, U256>, expected: &BTreeMap<U256, U256>) -> Vec<String> {
    let slots: BTreeSet<_> = got.keys().chain(expected.keys()).collect();
    let value =
        |storage: &BTreeMap<U256, U256>, slot| storage.get(slot).copied().unwrap_or_default();
    let pairs = slots
        .into_iter()
        .map(|slot| (slot, value(got, slot), value(expected, slot)));
    let different = pairs.filter(|(_, got, expected)| got != expected);
    different
        .map(|(slot, got, expected)| format!("slot {slot:#x}: {got:#x}, expected {expected:#x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Address;

    #[test]
    fn every_difference_has_a_line() {
        let (a, b, c) = (
            Address::repeat_byte(1),
            Address::repeat_byte(2),
            Address::repeat_byte(3),
        );
        let storage = |pairs: &[(u64, u64)]| {
            pairs
                .iter()
                .map(|(k, v)| (U256::from(*k), U256::from(*v)))
                .collect()
        };
        let account = |nonce, slots| Account {
            nonce,
            storage: storage(slots),
            ..Account::default()
        };
        let got = World::from_iter([(a, account(1, &[(1, 16), (2, 5)])), (b, account(0, &[]))]);
        let expected = World::from_iter([
            (a, account(2, &[(1, 17), (2, 5), (3, 1)])),
            (c, account(0, &[])),
        ]);
        let lines = [
            format!("{a} nonce: 1, expected 2"),
            format!("{a} slot 0x1: 0x10, expected 0x11"),
            format!("{a} slot 0x3: 0x0, expected 0x1"),
            format!("{b} is there, expected none"),
            format!("{c} is missing"),
        ];
        assert_eq!(differences(&got, &expected), lines);
        assert!(differences(&got, &got).is_empty());
    }
}
