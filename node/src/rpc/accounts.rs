//! The unlocked accounts of development chains.
//!
//! Their keys come from the test mnemonic that every Ethereum tool knows, so they are no
//! secrets. On any other chain a node holds no keys and refuses to sign.

use alloy_primitives::{Address, B256, Signature, U256};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

/// Keys that the node signs with when asked over RPC.
#[derive(Debug, Clone)]
pub struct DevAccounts {
    accounts: Vec<(Address, SecretKey)>,
}

/// A private key that is no scalar of secp256k1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("development key {index} is not a private key of secp256k1")]
pub struct KeyError {
    /// Its place in the list, from 0.
    pub index: usize,
}

impl DevAccounts {
    /// The accounts of these private keys, in this order.
    ///
    /// # Errors
    /// [`KeyError`] for the first key that is zero or not below the order of the curve.
    pub fn new(keys: impl IntoIterator<Item = [u8; 32]>) -> Result<Self, KeyError> {
        let account = |(index, key)| {
            let key = SecretKey::from_byte_array(key).map_err(|_| KeyError { index })?;
            Ok((address_of(&key), key))
        };
        let accounts = keys
            .into_iter()
            .enumerate()
            .map(account)
            .collect::<Result<_, _>>()?;
        Ok(Self { accounts })
    }

    /// The addresses, in the order of the keys.
    pub fn addresses(&self) -> Vec<Address> {
        self.accounts.iter().map(|(address, _)| *address).collect()
    }

    /// Signs `digest` with the key of `address`; `None` if it is not one of ours.
    /// Deterministic (RFC 6979), s in the lower half.
    pub fn sign(&self, address: Address, digest: B256) -> Option<Signature> {
        let (_, key) = self.accounts.iter().find(|(known, _)| *known == address)?;
        let message = Message::from_digest(digest.0);
        let (recovery, bytes) = SECP256K1
            .sign_ecdsa_recoverable(message, key)
            .serialize_compact();
        let (r, s) = bytes.split_at(32);
        let y_is_odd = i32::from(recovery) & 1 == 1;
        Some(Signature::new(
            U256::from_be_slice(r),
            U256::from_be_slice(s),
            y_is_odd,
        ))
    }
}

fn address_of(key: &SecretKey) -> Address {
    let public = PublicKey::from_secret_key(SECP256K1, key).serialize_uncompressed();
    // The first byte only says that the point is uncompressed.
    Address::from_raw_public_key(&public[1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, eip191_hash_message, hex};

    /// The first key of the mnemonic `test test test test test test test test test test test junk`.
    const FIRST: [u8; 32] =
        hex!("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");

    #[test]
    fn the_first_account_is_the_one_every_tool_knows() {
        let accounts = DevAccounts::new([FIRST]).unwrap();
        let expected = address!("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        assert_eq!(accounts.addresses(), [expected]);
    }

    #[test]
    fn signatures_recover_to_the_signer() {
        let accounts = DevAccounts::new([FIRST]).unwrap();
        let digest = eip191_hash_message("hello");
        let signer = accounts.addresses()[0];
        let signature = accounts.sign(signer, digest).unwrap();
        assert!(signature.normalize_s().is_none(), "s is low already");
        assert_eq!(accounts.sign(signer, digest), Some(signature));
        assert_eq!(accounts.sign(Address::ZERO, digest), None);
    }

    #[test]
    fn a_zero_key_is_refused() {
        assert_eq!(
            DevAccounts::new([FIRST, [0; 32]]).unwrap_err(),
            KeyError { index: 1 }
        );
    }
}
