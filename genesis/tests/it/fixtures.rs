//! Signed transactions and mined blocks to test with.

use alloy_consensus::TxEip1559;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Signature, TxKind, U256, keccak256};
use cairn_genesis::{
    Block, Body, ChainSpec, Header, NativeTransaction, Seal, Target, Transaction,
    VerifiedTransaction, transactions_root,
};
use ed25519_dalek::{Signer, SigningKey};
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

pub fn dev() -> &'static ChainSpec {
    ChainSpec::builtin("dev").unwrap()
}

pub fn secret() -> SecretKey {
    SecretKey::from_byte_array([0x11; 32]).unwrap()
}

/// Address of [`secret`].
pub fn signer() -> Address {
    let public = PublicKey::from_secret_key_global(&secret()).serialize_uncompressed();
    Address::from_word(keccak256(&public[1..]))
}

pub fn signature(digest: B256) -> Signature {
    let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest.0), &secret());
    let (parity, bytes) = signature.serialize_compact();
    let r = U256::from_be_slice(&bytes[..32]);
    let s = U256::from_be_slice(&bytes[32..]);
    Signature::new(r, s, i32::from(parity) == 1)
}

pub fn sign(body: impl Into<Body>) -> Transaction {
    let body = body.into();
    let signature = signature(body.signing_hash());
    Transaction::ethereum(body, signature).unwrap()
}

pub fn ed25519_key() -> SigningKey {
    SigningKey::from_bytes(&[0x22; 32])
}

pub fn sign_native(body: NativeTransaction) -> Transaction {
    let signature = ed25519_key().sign(body.signing_hash().as_slice());
    Transaction::native(body, signature.to_bytes())
}

pub fn authorization(chain_id: u64, nonce: u64) -> SignedAuthorization {
    let authorization = Authorization {
        chain_id: U256::from(chain_id),
        address: Address::repeat_byte(0xde),
        nonce,
    };
    let signature = signature(authorization.signature_hash());
    authorization.into_signed(signature)
}

/// A transfer of 1 wei on `dev`.
pub fn native_transfer() -> NativeTransaction {
    NativeTransaction {
        chain_id: dev().chain_id,
        nonce: 0,
        max_priority_fee: 1,
        max_fee: 2_000_000_000,
        gas_limit: 21_000,
        to: TxKind::Call(Address::repeat_byte(0xbb)),
        value: U256::ONE,
        input: Default::default(),
        access_list: Default::default(),
        public_key: ed25519_key().verifying_key().to_bytes(),
    }
}

/// A transfer of 1 wei on `dev`.
pub fn transfer() -> TxEip1559 {
    TxEip1559 {
        chain_id: dev().chain_id,
        nonce: 0,
        gas_limit: 21_000,
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(Address::repeat_byte(0xbb)),
        value: U256::ONE,
        ..Default::default()
    }
}

pub fn verified(transaction: Transaction) -> VerifiedTransaction {
    VerifiedTransaction::new(transaction, dev().chain_id).unwrap()
}

/// The header of a valid child of `dev`'s genesis block with these transactions; what execution
/// would tell is made up.
pub fn child_header(transactions: &[Transaction]) -> Header {
    let genesis = dev().genesis_block();
    Header {
        parent_hash: genesis.hash(),
        number: 1,
        timestamp: genesis.header.timestamp + 2,
        beneficiary: Address::repeat_byte(0xaa),
        transactions_root: transactions_root(transactions),
        base_fee: dev().next_base_fee(&genesis.header),
        gas_used: 21_000,
        extra: Default::default(),
        ..genesis.header
    }
}

/// A seal that meets the header's target, or `dev`'s if its bits stand for none. The tests' targets
/// are met by every other nonce, or by every sixteenth.
pub fn mine(header: &Header) -> Seal {
    let target = Target::from_bits(header.bits).unwrap_or(dev().pow_limit());
    let seal = |nonce| Seal {
        version: 0x2000_0000,
        time: u32::try_from(header.timestamp).unwrap_or(u32::MAX),
        nonce,
        extranonce: *b"twelve bytes",
    };
    let meets = |seal: &Seal| target.is_met_by(cairn_genesis::block_hash(header, seal));
    (0..1_000).map(seal).find(meets).unwrap()
}

/// A valid block 1 of `dev` with two transfers.
pub fn block() -> Block {
    let transactions = vec![sign_native(native_transfer()), sign(transfer())];
    let header = child_header(&transactions);
    let seal = mine(&header);
    Block {
        header,
        seal,
        transactions,
    }
}
