//! Chains with many funded accounts, and transfers between these.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use cairn_genesis::{
    ChainSpec, GenesisAccount, NativeTransaction, Transaction, VerifiedBlock, VerifiedTransaction,
    native_address,
};
use cairn_node::chain::TemplateRequest;
use cairn_node::core::{Answer, Core, Event, Now};
use cairn_node::store::{Memory, Store};
use ed25519_dalek::{Signer, SigningKey};
use rayon::prelude::*;

use super::mining::{answer, seal};

/// Accounts that send.
pub const SENDERS: usize = 5_000;

/// The keys of those who send.
pub fn keys() -> Vec<SigningKey> {
    let seed = |i: usize| keccak256([b"network".as_slice(), &i.to_be_bytes()].concat());
    (0..SENDERS)
        .map(|i| SigningKey::from_bytes(&seed(i).0))
        .collect()
}

/// A chain based on a built-in one, on which they have money.
pub fn spec(base: &str, keys: &[SigningKey]) -> Arc<ChainSpec> {
    let mut spec = ChainSpec::builtin(base).expect("built in").clone();
    spec.name = "bench".into();
    spec.chain_id = 7_778;
    spec.gas_limit = 200_000_000;
    let funded = GenesisAccount {
        balance: U256::from(10).pow(U256::from(21)),
        ..GenesisAccount::default()
    };
    let addresses = keys
        .iter()
        .map(|key| native_address(key.verifying_key().as_bytes()));
    spec.alloc
        .extend(addresses.map(|address| (address, funded.clone())));
    Arc::new(spec)
}

/// A transfer.
pub fn transfer(spec: &ChainSpec, key: &SigningKey, nonce: u64) -> VerifiedTransaction {
    let body = NativeTransaction {
        chain_id: spec.chain_id,
        nonce,
        max_priority_fee: 1,
        max_fee: 50_000_000_000,
        gas_limit: 21_000,
        to: TxKind::Call(Address::repeat_byte(0x77)),
        value: U256::from(1),
        input: Bytes::new(),
        access_list: Default::default(),
        public_key: *key.verifying_key().as_bytes(),
    };
    let signature = key.sign(body.signing_hash().as_slice()).to_bytes();
    VerifiedTransaction::new(Transaction::native(body, signature), spec.chain_id)
        .expect("a valid signature")
}

/// A chain of so many blocks, each with a transfer of every sender.
pub fn blocks(spec: &Arc<ChainSpec>, keys: &[SigningKey], count: u64) -> Vec<VerifiedBlock> {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    let mut now = Now {
        ms: spec.genesis_time * 1000,
    };
    let (mut core, _) = Core::open(store, Arc::clone(spec), now).expect("genesis");
    (0..count)
        .map(|nonce| {
            now.ms += 2_000;
            let transfers: Vec<_> = keys
                .par_iter()
                .map(|key| transfer(spec, key, nonce))
                .collect();
            for transaction in transfers {
                let actions = core.handle(now, Event::Transaction(transaction));
                assert!(matches!(
                    answer(actions.expect("a store")),
                    Answer::Transaction(Ok(()))
                ));
            }
            let request = TemplateRequest {
                now_s: now.s(),
                beneficiary: Address::repeat_byte(9),
                extra: Bytes::new(),
            };
            let actions = core.handle(now, Event::Template(request)).expect("a store");
            let Answer::Template(Ok(template)) = answer(actions) else {
                panic!("no template");
            };
            let block = seal(spec, &template);
            let event = Event::Block(Box::new(block.clone()));
            let actions = core.handle(now, event).expect("a store");
            assert!(matches!(answer(actions), Answer::Block(Ok(_))));
            block
        })
        .collect()
}

/// Hash of the last of these blocks.
pub fn head(blocks: &[VerifiedBlock]) -> B256 {
    blocks.last().expect("a block").hash()
}
