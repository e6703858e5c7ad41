//! `contract call`: ask a contract.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, Bytes, TxKind, U256};
use clap::Args;
use serde_json::{Value, json};

use super::{ContractError, has_code, values};
use crate::{
    Failure,
    abi::{Function, Parameter, Revert, to_json, to_line},
    address::AccountRef,
    client::{Call, Client, Tag},
    command::Context,
};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet contract call 0xTOKEN \"symbol() returns (string)\"
  cairn-wallet contract call 0xTOKEN \"balanceOf(address) returns (uint256)\" dev0 --block 100
  cairn-wallet contract call 0xPAIR \"getReserves() returns (uint112 r0, uint112 r1, uint32 at)\"

Without \"returns (…)\" the answer is shown as bytes.
How to write arguments: cairn-wallet contract --help";

/// `contract call`
///
/// Numbers are printed in decimal, bytes in hexadecimal, one output a line.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CallArguments {
    /// The contract.
    #[arg(value_name = "ADDRESS")]
    contract: AccountRef,
    /// The function, as "balanceOf(address) returns (uint256)".
    signature: String,
    /// What it takes.
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    arguments: Vec<String>,
    /// Who asks: address or name [default: the zero address].
    #[arg(long, value_name = "ACCOUNT")]
    from: Option<AccountRef>,
    /// The block after which to look: a number, latest, pending or earliest.
    #[arg(long, value_name = "N", default_value = "latest")]
    block: Tag,
}

pub(super) fn run(context: &Context, arguments: &CallArguments) -> Result<(), Failure> {
    let function = Function::parse(&arguments.signature)?;
    let values = values(
        context,
        &function.signature(),
        &function.inputs,
        &arguments.arguments,
    )?;
    let contract = context.address(&arguments.contract)?;
    let from = arguments.from.as_ref();
    let call = Call {
        from: from.map(|from| context.address(from)).transpose()?,
        to: TxKind::Call(contract),
        value: U256::ZERO,
        data: function.encode(&values),
        gas: None,
    };
    let output = ask(&context.client()?, &call, contract, arguments.block)?;
    let outputs = function.decode_output(&output)?;
    if context.console.json {
        let json = answer_json(contract, &function, &outputs, &output);
        return Ok(context.console.line(format_args!("{json:#}"))?);
    }
    if function.outputs.is_empty() {
        return Ok(context.console.line(output)?);
    }
    for line in lines(&function.outputs, &outputs) {
        context.console.line(line)?;
    }
    Ok(())
}

/// The answer. None at all may mean that nobody is there to give one.
fn ask(client: &Client, call: &Call, contract: Address, at: Tag) -> Result<Bytes, Failure> {
    let output = client
        .output(call, at)
        .map_err(|error| match error.revert() {
            Some(data) => ContractError::Reverts(Revert(data)).into(),
            None => Failure::from(error),
        })?;
    if output.is_empty() && !has_code(client, contract, at)? {
        return Err(ContractError::NoContract { address: contract }.into());
    }
    Ok(output)
}

/// The value alone if there is one; of several, each with the name that the signature gives it.
fn lines(parameters: &[Parameter], values: &[DynSolValue]) -> Vec<String> {
    let names = parameters.iter().map(|parameter| parameter.name.as_str());
    let width = match parameters {
        [_] => 0,
        _ => names.clone().map(str::len).max().unwrap_or_default(),
    };
    let line = |(name, value): (&str, &DynSolValue)| match width {
        0 => to_line(value),
        width => format!("{name:width$}  {}", to_line(value)),
    };
    names.zip(values).map(line).collect()
}

fn answer_json(
    contract: Address,
    function: &Function,
    values: &[DynSolValue],
    output: &Bytes,
) -> Value {
    let output_json = |(parameter, value): (&Parameter, &DynSolValue)| {
        json!({
            "name": parameter.name,
            "type": parameter.type_name(),
            "value": to_json(value),
        })
    };
    let pairs = function.outputs.iter().zip(values);
    json!({
        "address": contract.to_string(),
        "signature": function.signature(),
        "outputs": pairs.map(output_json).collect::<Value>(),
        "data": output,
    })
}
