//! How values stand in a spec's JSON.
//!
//! Amounts are strings (decimal, or hexadecimal after `0x`) or numbers; bits are eight hexadecimal
//! digits; `alloc` is geth's. A key that stands twice is an error: one of the two would be lost.

use std::{collections::BTreeMap, fmt, marker::PhantomData};

use alloy_primitives::{B256, U256};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor},
};

/// Amounts in wei.
pub(super) mod wei {
    use super::{Deserialize, Deserializer, Quantity, Serializer, U256};

    pub fn serialize<S: Serializer>(value: &U256, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<U256, D::Error> {
        Quantity::deserialize(deserializer).map(|quantity| quantity.0)
    }
}

/// Compact targets.
pub(super) mod bits {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bits: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{bits:08x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(&text, 16)
            .ok()
            .filter(|_| digits)
            .ok_or_else(|| Error::custom(format_args!("`{text}` is not bits: write 8 hex digits")))
    }
}

/// The accounts of the genesis block.
pub(super) mod alloc {
    use std::collections::BTreeMap;

    use alloy_primitives::{Address, Bytes};
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::{Quantity, Word, unique_map};
    use crate::account::GenesisAccount;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Account {
        balance: Quantity,
        #[serde(default, skip_serializing_if = "Quantity::is_zero")]
        nonce: Quantity,
        #[serde(default, skip_serializing_if = "is_empty")]
        code: Bytes,
        #[serde(default, deserialize_with = "unique_map")]
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        storage: BTreeMap<Word, Word>,
    }

    fn is_empty(code: &Bytes) -> bool {
        code.0.is_empty()
    }

    pub fn serialize<S: Serializer>(
        alloc: &BTreeMap<Address, GenesisAccount>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_map(alloc.iter().map(|(address, account)| {
            let storage = account.storage.iter();
            let account = Account {
                balance: Quantity(account.balance),
                nonce: Quantity::from(account.nonce),
                code: account.code.clone(),
                storage: storage
                    .map(|(key, value)| (Word(*key), Word(*value)))
                    .collect(),
            };
            (address.to_checksum(None), account)
        }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Address, GenesisAccount>, D::Error> {
        let accounts: BTreeMap<Address, Account> = unique_map(deserializer)?;
        let mut alloc = BTreeMap::new();
        for (address, account) in accounts {
            let nonce = u64::try_from(account.nonce.0).map_err(|_| {
                D::Error::custom(format_args!("the nonce of {address} does not fit 64 bits"))
            })?;
            let storage = account
                .storage
                .into_iter()
                .map(|(key, value)| (key.0, value.0));
            alloc.insert(
                address,
                GenesisAccount {
                    balance: account.balance.0,
                    nonce,
                    code: account.code,
                    // Ethereum's tries hold no zeros: such a slot is as good as absent.
                    storage: storage.filter(|(_, value)| !value.is_zero()).collect(),
                },
            );
        }
        Ok(alloc)
    }
}

/// An integer as geth writes it.
#[derive(Default)]
struct Quantity(U256);

impl Quantity {
    fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    fn parse(text: &str) -> Option<Self> {
        let (digits, radix) = match text.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None => (text, 10),
        };
        let is_digit = |character: char| character.is_digit(radix);
        if digits.is_empty() || !digits.chars().all(is_digit) {
            return None;
        }
        U256::from_str_radix(digits, u64::from(radix))
            .ok()
            .map(Self)
    }
}

impl From<u64> for Quantity {
    fn from(value: u64) -> Self {
        Self(U256::from(value))
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a decimal or 0x-hexadecimal integer of at most 256 bits")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Quantity, E> {
        Ok(Quantity::from(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
        Quantity::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// A slot or its value: up to 64 hexadecimal digits, padded on the left.
#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
struct Word(B256);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        let word = Quantity::parse(&format!("0x{digits}")).filter(|_| digits.len() <= 64);
        match word {
            Some(Quantity(value)) => Ok(Self(B256::from(value))),
            None => Err(de::Error::custom(format_args!(
                "`{text}` is not a storage word: write up to 64 hex digits"
            ))),
        }
    }
}

/// A map in which no key stands twice.
fn unique_map<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
{
    deserializer.deserialize_map(UniqueMap(PhantomData))
}

struct UniqueMap<K, V>(PhantomData<(K, V)>);

impl<'de, K, V> Visitor<'de> for UniqueMap<K, V>
where
    K: Deserialize<'de> + Ord,
    V: Deserialize<'de>,
{
    type Value = BTreeMap<K, V>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a map in which no key stands twice")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, value)) = entries.next_entry()? {
            if map.insert(key, value).is_some() {
                return Err(de::Error::custom("a key of this map stands twice"));
            }
        }
        Ok(map)
    }
}
