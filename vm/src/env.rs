//! What a transaction runs in and what it asks for. All plain data, filled in by the caller.

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};

/// The block around a transaction, as instructions and fee rules see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockEnv {
    /// Height of the block.
    pub number: u64,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// Who receives the priority fees (COINBASE).
    pub beneficiary: Address,
    /// Gas limit of the whole block.
    pub gas_limit: u64,
    /// Wei per gas that is burned (EIP-1559).
    pub base_fee: u64,
    /// What PREVRANDAO gives.
    pub prevrandao: B256,
    /// What BLOBBASEFEE gives. Cairn has no blobs; official state tests set it.
    pub blob_base_fee: u128,
    /// What CHAINID gives; authorizations must name it or 0.
    pub chain_id: u64,
}

/// A transaction whose signature was checked: `sender` and authorities are recovered by the caller.
///
/// Legacy transactions and those of EIP-2930 set both fees to their gas price.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TxEnv {
    /// The account that signed and pays.
    pub sender: Address,
    /// Must equal the sender's nonce.
    pub nonce: u64,
    /// Gas bought up front.
    pub gas_limit: u64,
    /// The most wei per gas that the sender pays, base fee included.
    pub max_fee: u128,
    /// The most wei per gas that the beneficiary receives.
    pub max_priority_fee: u128,
    /// A call to an account, or a contract creation.
    pub to: TxKind,
    /// Wei moved to the target.
    pub value: U256,
    /// Calldata, or init code for a creation.
    pub input: Bytes,
    /// Accounts and slots that are warm from the start (EIP-2930).
    pub access_list: Vec<(Address, Vec<B256>)>,
    /// Delegations to write before the run (EIP-7702).
    pub authorizations: Vec<Authorization>,
}

/// One entry of an EIP-7702 authorization list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Chain the authorization is for; 0 means any.
    pub chain_id: U256,
    /// Whose code the authority will run; the zero address removes a delegation.
    pub address: Address,
    /// Must equal the authority's nonce.
    pub nonce: u64,
    /// Who signed; `None` if the signature is not a valid one, and the entry is skipped.
    pub authority: Option<Address>,
}

/// A run that nobody signs and nobody pays: `eth_call`, `eth_estimateGas`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallRequest {
    /// The account in whose name the call is made. It may have code.
    pub sender: Address,
    /// Gas available, intrinsic gas included.
    pub gas_limit: u64,
    /// What GASPRICE gives, in wei. Nothing is charged.
    pub gas_price: u128,
    /// A call to an account, or a contract creation at the sender's present nonce.
    pub to: TxKind,
    /// Wei moved to the target. The sender must own it.
    pub value: U256,
    /// Calldata, or init code for a creation.
    pub input: Bytes,
    /// Accounts and slots that are warm from the start (EIP-2930).
    pub access_list: Vec<(Address, Vec<B256>)>,
    /// Delegations to write before the run (EIP-7702).
    pub authorizations: Vec<Authorization>,
}
