//! The accounts that `dev` and `devnet` fund, derived anew from the well-known mnemonic.

use alloy_primitives::{Address, U256, keccak256};
use cairn_genesis::{ChainSpec, native_address};
use hmac::{Hmac, KeyInit, Mac};
use secp256k1::{PublicKey, Scalar, SecretKey};
use sha2::Sha512;

const MNEMONIC: &str = "test test test test test test test test test test test junk";
const HARDENED: u32 = 1 << 31;

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 64] {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).unwrap();
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// BIP-39: PBKDF2 with 2,048 rounds, of which one block is needed.
fn seed() -> [u8; 64] {
    let mut round = hmac(MNEMONIC.as_bytes(), &[b"mnemonic", &1u32.to_be_bytes()]);
    let mut seed = round;
    for _ in 1..2048 {
        round = hmac(MNEMONIC.as_bytes(), &[&round]);
        seed.iter_mut()
            .zip(round)
            .for_each(|(sum, byte)| *sum ^= byte);
    }
    seed
}

fn halves(bytes: [u8; 64]) -> ([u8; 32], [u8; 32]) {
    (
        bytes[..32].try_into().unwrap(),
        bytes[32..].try_into().unwrap(),
    )
}

/// BIP-32 along m/44'/60'/0'/0/index.
fn secp256k1_account(index: u32) -> Address {
    let (key, mut chain) = halves(hmac(b"Bitcoin seed", &[&seed()]));
    let mut secret = SecretKey::from_byte_array(key).unwrap();
    for step in [44 | HARDENED, 60 | HARDENED, HARDENED, 0, index] {
        let public = PublicKey::from_secret_key_global(&secret).serialize();
        let parent = match step & HARDENED {
            0 => public.to_vec(),
            _ => [&[0], &secret.secret_bytes()[..]].concat(),
        };
        let (tweak, next) = halves(hmac(&chain, &[&parent, &step.to_be_bytes()]));
        secret = secret
            .add_tweak(&Scalar::from_be_bytes(tweak).unwrap())
            .unwrap();
        chain = next;
    }
    let public = PublicKey::from_secret_key_global(&secret).serialize_uncompressed();
    Address::from_word(keccak256(&public[1..]))
}

/// SLIP-0010 for Ed25519 along m/44'/60'/0'/0'/index'.
fn ed25519_account(index: u32) -> Address {
    let (mut secret, mut chain) = halves(hmac(b"ed25519 seed", &[&seed()]));
    for step in [44, 60, 0, 0, index] {
        let step = (step | HARDENED).to_be_bytes();
        (secret, chain) = halves(hmac(&chain, &[&[0], &secret, &step]));
    }
    let key = ed25519_dalek::SigningKey::from_bytes(&secret);
    native_address(key.verifying_key().as_bytes())
}

#[test]
fn dev_chains_fund_the_first_ten_accounts_of_both_kinds() {
    let coins = U256::from(10_000) * U256::from(10).pow(U256::from(18));
    let secp256k1 = (0..10).map(secp256k1_account);
    let ed25519 = (0..10).map(ed25519_account);
    let accounts: Vec<Address> = secp256k1.chain(ed25519).collect();
    for name in ["dev", "devnet"] {
        let alloc = &ChainSpec::builtin(name).unwrap().alloc;
        for account in &accounts {
            let funded = alloc.get(account).map(|account| account.balance);
            assert_eq!(
                funded,
                Some(coins),
                "{} on {name}",
                account.to_checksum(None)
            );
        }
        let funded = alloc.values().filter(|account| !account.balance.is_zero());
        assert_eq!(funded.count(), 20);
    }
}

#[test]
fn the_first_account_is_the_one_that_every_tool_knows() {
    let known = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
    assert_eq!(secp256k1_account(0).to_checksum(None), known);
}
