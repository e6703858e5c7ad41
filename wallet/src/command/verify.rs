//! `verify`: who signed a message.

use alloy_primitives::{Address, Bytes};
use clap::Args;
use serde_json::json;

use super::{Context, MessageArguments, parse_hex};
use crate::{
    Failure,
    address::AccountRef,
    sign::{VerifyError, signer_of, verify},
};

const EXAMPLES: &str = "\
Examples:
  cairn-wallet verify \"I own this account\" --signature 0x... --address 0x...
  cairn-wallet verify - --signature 0x... --public-key 0x... < letter.txt";

/// `verify`
///
/// 65 bytes of secp256k1 reveal their signer; 64 bytes of ed25519 need --public-key. The exit code
/// is 0 only if the signature is valid and, with --address, that account's.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArguments {
    #[command(flatten)]
    message: MessageArguments,
    /// The signature in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = parse_hex)]
    signature: Bytes,
    /// Who should have signed: address or name.
    #[arg(long, value_name = "ACCOUNT")]
    address: Option<AccountRef>,
    /// The signer's ed25519 public key in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = parse_hex)]
    public_key: Option<Bytes>,
}

pub(super) fn run(context: &Context, arguments: &VerifyArguments) -> Result<(), Failure> {
    let expected = arguments
        .address
        .as_ref()
        .map(|account| context.address(account))
        .transpose()?;
    let message = arguments.message.read(&context.console)?;
    match check(&message, arguments, expected) {
        Ok(signer) => {
            let json = json!({"valid": true, "signer": signer.to_string()});
            Ok(context
                .console
                .result(&json, format_args!("Valid: signed by {signer}"))?)
        }
        Err(error @ (VerifyError::Invalid | VerifyError::OtherSigner { .. })) => {
            if context.console.json {
                let json = json!({"valid": false, "reason": error.to_string()});
                context.console.line(format_args!("{json:#}"))?;
            }
            Err(error.into())
        }
        Err(error) => Err(error.into()),
    }
}

fn check(
    message: &[u8],
    arguments: &VerifyArguments,
    expected: Option<Address>,
) -> Result<Address, VerifyError> {
    let public_key = arguments.public_key.as_ref().map(AsRef::as_ref);
    match expected {
        Some(expected) => {
            verify(message, &arguments.signature, public_key, expected).map(|()| expected)
        }
        None => signer_of(message, &arguments.signature, public_key),
    }
}
