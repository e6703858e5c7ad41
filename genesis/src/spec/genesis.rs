//! The genesis block, and the digest of the rules that it carries.

use alloy_primitives::{Address, B256, Bytes, keccak256};
use alloy_rlp::{BufMut, Encodable, Header as RlpHeader};
use alloy_trie::EMPTY_ROOT_HASH;

use super::{ChainSpec, Difficulty};
use crate::{
    account::{GenesisAccount, state_root},
    block::Block,
    header::Header,
    seal::{EXTRANONCE_BYTES, SEAL_VERSION, Seal},
};

impl ChainSpec {
    /// The block that everything is built on (R-GEN-1). Its proof of work is not checked.
    pub fn genesis_block(&self) -> Block {
        let header = Header {
            parent_hash: B256::ZERO,
            number: 0,
            timestamp: self.genesis_time,
            bits: self.genesis_bits(),
            beneficiary: Address::ZERO,
            state_root: state_root(&self.alloc),
            transactions_root: EMPTY_ROOT_HASH,
            receipts_root: EMPTY_ROOT_HASH,
            gas_limit: self.gas_limit,
            gas_used: 0,
            base_fee: self.base_fee_start,
            extra: Bytes::copy_from_slice(self.rules_digest().as_slice()),
        };
        let seal = Seal {
            version: SEAL_VERSION,
            time: u32::try_from(self.genesis_time).expect("validated: R-SPEC-3"),
            nonce: 0,
            extranonce: [0; EXTRANONCE_BYTES],
        };
        Block {
            header,
            seal,
            transactions: Vec::new(),
        }
    }

    /// Hash of the genesis block: names the chain. Computed anew at each call, from all accounts.
    pub fn genesis_hash(&self) -> B256 {
        self.genesis_block().hash()
    }

    /// `keccak256` of the RLP of every field that consensus depends on (R-GEN-2).
    pub fn rules_digest(&self) -> B256 {
        let mut fields = Vec::new();
        self.chain_id.encode(&mut fields);
        self.genesis_time.encode(&mut fields);
        self.spacing.encode(&mut fields);
        list(&mut fields, |out| encode_difficulty(&self.difficulty, out));
        self.subsidy.encode(&mut fields);
        self.halving_interval.encode(&mut fields);
        self.gas_limit.encode(&mut fields);
        self.base_fee_start.encode(&mut fields);
        self.base_fee_floor.encode(&mut fields);
        list(&mut fields, |out| {
            if let Some(drift) = self.max_future_drift {
                drift.encode(out);
            }
        });
        self.max_block_bytes.encode(&mut fields);
        list(&mut fields, |out| {
            for (address, account) in &self.alloc {
                list(out, |out| encode_account(address, account, out));
            }
        });
        let mut digest_of = Vec::with_capacity(fields.len() + 9);
        list(&mut digest_of, |out| out.put_slice(&fields));
        keccak256(digest_of)
    }
}

/// `[bits]`, or `[anchor_bits, pow_limit, half_life, stall_relief, gap_cap]`.
fn encode_difficulty(difficulty: &Difficulty, out: &mut Vec<u8>) {
    match difficulty {
        Difficulty::Fixed(bits) => bits.encode(out),
        Difficulty::Asert(asert) => {
            asert.anchor_bits.encode(out);
            asert.pow_limit.encode(out);
            asert.half_life.encode(out);
            asert.stall_relief.encode(out);
            asert.gap_cap().encode(out);
        }
    }
}

/// `[address, balance, nonce, code, [[key, value]…]]`.
fn encode_account(address: &Address, account: &GenesisAccount, out: &mut Vec<u8>) {
    address.encode(out);
    account.balance.encode(out);
    account.nonce.encode(out);
    account.code[..].encode(out);
    list(out, |out| {
        for (key, value) in &account.storage {
            list(out, |out| {
                key.encode(out);
                value.encode(out);
            });
        }
    });
}

/// Appends the list of the items that `items` writes.
fn list(out: &mut Vec<u8>, items: impl FnOnce(&mut Vec<u8>)) {
    let mut payload = Vec::new();
    items(&mut payload);
    let header = RlpHeader {
        list: true,
        payload_length: payload.len(),
    };
    header.encode(out);
    out.put_slice(&payload);
}
