//! `contract deploy`: create a contract.

use alloy_primitives::{Address, TxKind};
use clap::Args;

use super::{ContractError, code, code::Code, in_lines, values};
use crate::{
    Failure,
    abi::Constructor,
    amount::Amount,
    client::{Receipt, Tag},
    command::{
        Context,
        contract::CodeError,
        payment::{Order, Payer, PaymentOptions},
    },
};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet contract deploy @out/Token.sol/Token.json dev0 1000cairn    Foundry
  cairn-wallet contract deploy @artifacts/Token.sol/Token.json             Hardhat
  cairn-wallet contract deploy @Token.bin --constructor \"constructor(address)\" dev0
  cairn-wallet contract deploy 0x600a600c600039600a6000f3… --yes

With a compiler's artifact the types of the arguments come from its ABI.
How to write arguments: cairn-wallet contract --help";

/// `contract deploy`
///
/// The contract's address follows from the sender and the nonce; it is shown before anything is
/// signed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct DeployArguments {
    /// Creation code in hexadecimal, or @FILE with it or with a compiler's artifact in JSON.
    #[arg(value_name = "CODE|@FILE")]
    code: String,
    /// What the constructor takes.
    #[arg(value_name = "ARG", allow_negative_numbers = true)]
    arguments: Vec<String>,
    /// What types that has, as "constructor(address,uint256)".
    #[arg(long, value_name = "SIGNATURE")]
    constructor: Option<String>,
    /// Coins that the contract starts with.
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

pub(super) fn run(context: &Context, arguments: &DeployArguments) -> Result<(), Failure> {
    let code = code::read(&arguments.code).map_err(ContractError::from)?;
    let constructor = constructor(arguments, &code)?;
    let values = values(
        context,
        &constructor.signature(),
        &constructor.inputs,
        &arguments.arguments,
    )?;
    let encoded = constructor.encode(&values);
    let size = match encoded.len() {
        0 => format!("{} bytes", code.bytes.len()),
        more => format!("{} bytes and {more} of arguments", code.bytes.len()),
    };

    let payer = Payer::new(context, &arguments.options)?;
    let plan = payer.plan(Order {
        to: TxKind::Create,
        value: arguments.value.0,
        data: [&code.bytes[..], &encoded].concat().into(),
        check: check(arguments, &code),
    })?;
    let address = payer.from.create(plan.payment.nonce);
    let order = [
        ("creates", format!("contract {address}")),
        ("code", in_lines(&size, &constructor.inputs, &values)),
        ("amount", arguments.value.to_string()),
    ];
    payer.agree(&plan, &order)?;
    let sent = payer.send(&plan)?;
    match payer.finish(&sent)? {
        Some(receipt) => tell(context, &payer, address, &receipt),
        None if context.console.json => Ok(()),
        None => Ok(context
            .console
            .line(format_args!("The contract will be {address}."))?),
    }
}

/// What to look at if the creation fails. Bare code does not say that its constructor wants
/// arguments, and reverts without a reason if it gets none.
fn check(arguments: &DeployArguments, code: &Code) -> &'static str {
    if arguments.constructor.is_none() && code.constructor.is_none() {
        "check the code and --value; if its constructor takes arguments, name their types with --constructor \"constructor(address,uint256)\""
    } else {
        "check the arguments and --value"
    }
}

/// The constructor that the user names, or else the compiler.
fn constructor(arguments: &DeployArguments, code: &Code) -> Result<Constructor, Failure> {
    let constructor = match (&arguments.constructor, &code.constructor) {
        (Some(signature), _) => Constructor::parse(signature)?,
        (None, Some(known)) => known.clone(),
        (None, None) if arguments.arguments.is_empty() => Constructor::default(),
        (None, None) => return Err(ContractError::from(CodeError::ConstructorMissing).into()),
    };
    if constructor.payable == Some(false) && !arguments.value.0.is_zero() {
        return Err(ContractError::NotPayable.into());
    }
    Ok(constructor)
}

/// Says where the contract is, if it is where it must be.
fn tell(
    context: &Context,
    payer: &Payer<'_>,
    expected: Address,
    receipt: &Receipt,
) -> Result<(), Failure> {
    let console = &context.console;
    let got = receipt.contract;
    if got != Some(expected) {
        return Err(ContractError::OtherAddress { expected, got }.into());
    }
    // The contract is created, whatever comes of this question.
    let code = payer.client.code(expected, Tag::Latest);
    if matches!(&code, Ok(code) if code.is_empty()) {
        console.note("Warning: the contract has no code; was CODE the creation code?");
    }
    if console.json {
        return Ok(());
    }
    let size = code
        .map(|code| format!(", with {} bytes of code", code.len()))
        .unwrap_or_default();
    console.line(format_args!("Contract {expected} is created{size}."))?;
    let Receipt {
        block_number,
        gas_used,
        ..
    } = receipt;
    Ok(console.line(format_args!(
        "Mined in block {block_number}; it used {gas_used} gas, the fee was {}.",
        Amount(receipt.fee())
    ))?)
}
