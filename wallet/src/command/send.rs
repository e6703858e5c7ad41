//! `send`: pay somebody.

use alloy_primitives::{Bytes, TxKind};
use clap::Args;

use super::{
    Context, parse_hex,
    payment::{Order, Payer, PaymentOptions},
};
use crate::{Failure, address::AccountRef, amount::Amount};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet send 0xADDRESS 1.5                        shows fee and total, asks, waits
  cairn-wallet send savings 20gwei --from main           between accounts of yours
  cairn-wallet send 0xADDRESS 1 --max-fee 30gwei --priority-fee 2gwei
  cairn-wallet send 0xADDRESS 1 --nonce 7 --max-fee 40gwei      replaces number 7
  cairn-wallet --json --password-file FILE send 0xADDRESS 1.5 --yes --timeout 60

Prices of gas need their unit. A fee above 1 cairn is only paid if --gas and the price are given.";

/// `send`
///
/// Chain id, nonce, fees and gas come from the node unless given here. The fee and the total are
/// shown before anything is signed.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SendArguments {
    /// Who gets it: an address, or the name of an account of yours.
    to: AccountRef,
    /// How much: 1.5 or 1.5cairn, 20gwei, 7wei.
    #[arg(allow_negative_numbers = true)]
    amount: Amount,
    /// Call data in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = parse_hex, default_value = "", hide_default_value = true)]
    data: Bytes,
    #[command(flatten)]
    pub(super) options: PaymentOptions,
}

pub(super) fn run(context: &Context, arguments: &SendArguments) -> Result<(), Failure> {
    let payer = Payer::new(context, &arguments.options)?;
    let to = context.address(&arguments.to)?;
    let plan = payer.plan(Order {
        to: TxKind::Call(to),
        value: arguments.amount.0,
        data: arguments.data.clone(),
        check: "check the amount and --data",
    })?;
    let order = [
        ("to", to.to_string()),
        ("amount", arguments.amount.to_string()),
    ];
    payer.agree(&plan, &order)?;
    let sent = payer.send(&plan)?;
    let receipt = payer.finish(&sent)?;
    if let Some(receipt) = receipt.filter(|_| !context.console.json) {
        let (number, fee) = (receipt.block_number, Amount(receipt.fee()));
        context
            .console
            .line(format_args!("Mined in block {number}; the fee was {fee}."))?;
    }
    Ok(())
}
