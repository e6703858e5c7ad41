//! `sign`: a signature that proves who wrote a message.

use alloy_primitives::hex;
use clap::Args;
use serde_json::json;

use super::{Context, MessageArguments};
use crate::{Failure, address::AccountRef, key::Scheme};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet sign \"I own this account\"
  cairn-wallet sign - --from main < letter.txt

The message is signed with the prefix of EIP-191 (personal_sign), so it can never be a payment.";

/// `sign`
///
/// The signature is EIP-191's `personal_sign`: the message gets a prefix, so it can be no payment.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SignArguments {
    #[command(flatten)]
    message: MessageArguments,
    /// Who signs: address or name [default: the only account].
    #[arg(long, value_name = "ACCOUNT", env = "CAIRN_FROM")]
    from: Option<AccountRef>,
}

pub(super) fn run(context: &Context, arguments: &SignArguments) -> Result<(), Failure> {
    let account = context.account(arguments.from.as_ref())?;
    let message = arguments.message.read(&context.console)?;
    let key = context.open(&account)?;
    let address = key.address();
    let signature = hex::encode_prefixed(key.sign_message(&message));
    let public_key = hex::encode_prefixed(key.public_key());
    let json = json!({
        "address": address.to_string(),
        "scheme": key.scheme(),
        "signature": signature,
        "publicKey": public_key,
    });
    // Whoever verifies an ed25519 signature needs the key; secp256k1 reveals it.
    let needed = match key.scheme() {
        Scheme::Ed25519 => " (needed to verify)",
        Scheme::Secp256k1 => "",
    };
    let words =
        format!("address     {address}\nsignature   {signature}\npublic key  {public_key}{needed}");
    Ok(context.console.result(&json, words)?)
}
