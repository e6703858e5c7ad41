//! EIP-2718: from bytes to body and signature, and back.

use alloy_consensus::transaction::{RlpEcdsaDecodableTx, RlpEcdsaEncodableTx};
use alloy_consensus::{TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_primitives::Signature;

use super::{
    Body, TransactionError, TransactionSignature,
    native::{self, NATIVE_TYPE},
};

/// Decodes an envelope. Legacy transactions begin with the header of a list (0xc0 and above).
pub(super) fn decode(envelope: &[u8]) -> Result<(Body, TransactionSignature), TransactionError> {
    let (&first, fields) = envelope.split_first().ok_or(TransactionError::Empty)?;
    match first {
        // R-TX-1: "The types are legacy, 0x01 (EIP-2930), 0x02 (EIP-1559), 0x04 (EIP-7702) and
        // 0x45."
        0x01 => ethereum::<TxEip2930>(fields),
        0x02 => ethereum::<TxEip1559>(fields),
        0x03 => Err(TransactionError::Blob),
        0x04 => ethereum::<TxEip7702>(fields),
        NATIVE_TYPE => {
            let (body, signature) = native::decode_fields(fields)?;
            Ok((body.into(), TransactionSignature::Ed25519(signature)))
        }
        0xc0.. => legacy(envelope),
        got => Err(TransactionError::UnknownType { got }),
    }
}

fn ethereum<T: RlpEcdsaDecodableTx + Into<Body>>(
    mut fields: &[u8],
) -> Result<(Body, TransactionSignature), TransactionError> {
    let (body, signature) = T::rlp_decode_with_signature(&mut fields)?;
    finish(body, signature, fields)
}

fn legacy(mut list: &[u8]) -> Result<(Body, TransactionSignature), TransactionError> {
    let (body, signature) = TxLegacy::rlp_decode_with_signature(&mut list)?;
    // R-TX-3: "v = 35 or 36 + 2 × chain_id": every transaction names its chain.
    if body.chain_id.is_none() {
        return Err(TransactionError::NoChainId);
    }
    finish(body, signature, list)
}

fn finish(
    body: impl Into<Body>,
    signature: Signature,
    rest: &[u8],
) -> Result<(Body, TransactionSignature), TransactionError> {
    match rest.len() {
        0 => Ok((body.into(), TransactionSignature::Secp256k1(signature))),
        bytes => Err(TransactionError::TrailingBytes { bytes }),
    }
}

/// Encodes an envelope. The caller has made sure that the signature is of the body's kind.
pub(super) fn encode(body: &Body, signature: &TransactionSignature) -> Vec<u8> {
    match (body, signature) {
        (Body::Native(tx), TransactionSignature::Ed25519(signature)) => tx.encode(signature),
        (Body::Legacy(tx), TransactionSignature::Secp256k1(s)) => encode_ethereum(tx, s),
        (Body::Eip2930(tx), TransactionSignature::Secp256k1(s)) => encode_ethereum(tx, s),
        (Body::Eip1559(tx), TransactionSignature::Secp256k1(s)) => encode_ethereum(tx, s),
        (Body::Eip7702(tx), TransactionSignature::Secp256k1(s)) => encode_ethereum(tx, s),
        (Body::Native(_), TransactionSignature::Secp256k1(_))
        | (_, TransactionSignature::Ed25519(_)) => {
            unreachable!("the constructors pair each body with its own kind of signature")
        }
    }
}

fn encode_ethereum(tx: &impl RlpEcdsaEncodableTx, signature: &Signature) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(tx.eip2718_encoded_length(signature));
    tx.eip2718_encode(signature, &mut bytes);
    bytes
}
