//! `contract`: create contracts, ask them and use them.
//!
//! A signature in the words of Solidity says how arguments and answers are encoded
//! ([`crate::abi`]); transactions are made as `send` makes them.

mod call;
mod code;
mod deploy;
mod error;
mod send;

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::Address;
use clap::{Args, Subcommand};

pub use self::{code::CodeError, error::ContractError};
use super::Context;
use crate::{
    Failure,
    abi::{AbiError, Parameter, read_arguments, to_text},
    address::AccountRef,
    client::{Client, RpcError, Tag},
};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet contract deploy @Token.json dev0 1000cairn       from a compiler's artifact
  cairn-wallet contract deploy 0x6080… --constructor \"constructor(address)\" dev0
  cairn-wallet contract call 0xTOKEN \"balanceOf(address) returns (uint256)\" dev0
  cairn-wallet contract send 0xTOKEN \"transfer(address,uint256)\" 0xADDRESS 1.5cairn

Arguments by type:
  uint, int         42, 1_000, 0x2a, -7; uint also as an amount with its unit: 20gwei, 1.5cairn
  address           0xADDRESS, or the name of an account of yours
  bool              true or false
  bytes, bytes32    0x and two digits a byte
  string            as it is; within lists in \"quotation marks\", as in JSON
  uint[], address[2]  [1,2]
  (uint,bool)       (1,true)";

/// `contract`
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ContractArguments {
    #[command(subcommand)]
    verb: ContractVerb,
}

#[derive(Debug, Subcommand)]
enum ContractVerb {
    /// Create a contract, and wait until it is there.
    Deploy(deploy::DeployArguments),
    /// Ask a contract; nothing is sent, nothing is paid.
    Call(call::CallArguments),
    /// Call a contract in a transaction, and wait until it is mined.
    Send(send::SendArguments),
}

pub(super) fn run(context: &Context, arguments: &ContractArguments) -> Result<(), Failure> {
    match &arguments.verb {
        ContractVerb::Deploy(arguments) => deploy::run(context, arguments),
        ContractVerb::Call(arguments) => call::run(context, arguments),
        ContractVerb::Send(arguments) => send::run(context, arguments),
    }
}

/// Reads the arguments of a function or constructor; names are looked up in the keystore.
fn values(
    context: &Context,
    signature: &str,
    parameters: &[Parameter],
    texts: &[String],
) -> Result<Vec<DynSolValue>, AbiError> {
    let find = |name: &AccountRef| context.address(name).map_err(|error| error.to_string());
    read_arguments(signature, parameters, texts, &find)
}

/// A name and the arguments that go with it, one a line.
fn in_lines(name: &str, parameters: &[Parameter], values: &[DynSolValue]) -> String {
    let titles: Vec<String> = parameters.iter().map(Parameter::title).collect();
    let width = titles.iter().map(String::len).max().unwrap_or_default();
    let mut lines = name.to_owned();
    for (title, value) in titles.iter().zip(values) {
        lines += &format!("\n  {title:width$}  {}", to_text(value));
    }
    lines
}

/// Whether there is code at an address: a call of anything else does nothing and seems to succeed.
fn has_code(client: &Client, address: Address, at: Tag) -> Result<bool, RpcError> {
    Ok(!client.code(address, at)?.is_empty())
}
