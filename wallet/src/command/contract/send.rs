//! `contract send`: call a contract in a transaction.

use alloy_primitives::TxKind;
use clap::Args;

use super::{ContractError, has_code, in_lines, values};
use crate::{
    Failure,
    abi::Function,
    address::AccountRef,
    amount::Amount,
    client::{Log, Receipt, Tag},
    command::{
        Context,
        payment::{Order, Payer, PaymentOptions},
    },
    console::Console,
};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet contract send 0xTOKEN \"transfer(address,uint256)\" 0xADDRESS 1.5cairn
  cairn-wallet contract send 0xTOKEN \"transfer(address to, uint256 amount)\" savings 1_000
  cairn-wallet contract send 0xWRAPPED \"deposit()\" --value 20gwei --yes

Names of parameters are shown before anything is signed.
How to write arguments: cairn-wallet contract --help";

/// `contract send`
///
/// The call is shown before anything is signed; once it is mined, what contracts logged.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SendArguments {
    /// The contract.
    #[arg(value_name = "ADDRESS")]
    contract: AccountRef,
    /// The function, as "transfer(address,uint256)".
    signature: String,
    /// What it takes.
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    arguments: Vec<String>,
    /// Coins that go along.
    #[arg(
        long,
        value_name = "AMOUNT",
        default_value = "0",
        hide_default_value = true,
        allow_negative_numbers = true
    )]
    value: Amount,
    #[command(flatten)]
    options: PaymentOptions,
}

pub(super) fn run(context: &Context, arguments: &SendArguments) -> Result<(), Failure> {
    let function = Function::parse(&arguments.signature)?;
    let values = values(
        context,
        &function.signature(),
        &function.inputs,
        &arguments.arguments,
    )?;
    let contract = context.address(&arguments.contract)?;
    let payer = Payer::new(context, &arguments.options)?;
    if !has_code(&payer.client, contract, Tag::Latest)? {
        return Err(ContractError::NoContract { address: contract }.into());
    }
    let plan = payer.plan(Order {
        to: TxKind::Call(contract),
        value: arguments.value.0,
        data: function.encode(&values),
        check: "check the arguments and --value",
    })?;
    let order = [
        ("to", contract.to_string()),
        ("call", in_lines(&function.name, &function.inputs, &values)),
        ("amount", arguments.value.to_string()),
    ];
    payer.agree(&plan, &order)?;
    let sent = payer.send(&plan)?;
    match payer.finish(&sent)? {
        Some(receipt) if !context.console.json => tell(&context.console, &receipt),
        _ => Ok(()),
    }
}

fn tell(console: &Console, receipt: &Receipt) -> Result<(), Failure> {
    let Receipt {
        block_number,
        gas_used,
        logs,
        ..
    } = receipt;
    console.line(format_args!(
        "Mined in block {block_number}; it used {gas_used} gas, the fee was {}.",
        Amount(receipt.fee())
    ))?;
    for (number, log) in (1..).zip(logs) {
        let Log {
            address,
            topics,
            data,
        } = log;
        console.line(format_args!("Log {number} of {address}"))?;
        for topic in topics {
            console.line(format_args!("  topic  {topic}"))?;
        }
        console.line(format_args!("  data   {data}"))?;
    }
    Ok(())
}
