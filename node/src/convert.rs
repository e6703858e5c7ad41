//! From the ledger's types to the machine's: the two crates do not know each other.

use cairn_genesis::VerifiedTransaction;
use cairn_vm::{Authorization, TxEnv};

/// The transaction as the machine takes it.
pub fn transaction_env(transaction: &VerifiedTransaction) -> TxEnv {
    let access_list = transaction.access_list().iter();
    let authorizations = transaction.authorizations().iter();
    TxEnv {
        sender: transaction.sender(),
        nonce: transaction.nonce(),
        gas_limit: transaction.gas_limit(),
        max_fee: transaction.max_fee(),
        max_priority_fee: transaction.max_priority_fee(),
        to: transaction.to(),
        value: transaction.value(),
        input: transaction.input().clone(),
        access_list: access_list
            .map(|item| (item.address, item.storage_keys.clone()))
            .collect(),
        authorizations: authorizations
            .zip(transaction.authorities())
            .map(|(signed, authority)| Authorization {
                chain_id: signed.inner().chain_id,
                address: signed.inner().address,
                nonce: signed.inner().nonce,
                authority: *authority,
            })
            .collect(),
    }
}
