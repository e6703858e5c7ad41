//! The functions that stand at addresses on every Cairn chain.

use alloy_primitives::{Address, B256, Bytes, address};
use cairn_genesis::verify_ed25519;
use cairn_vm::{PrecompileFailure, PrecompileFn, PrecompileOutput, PrecompileResult, Precompiles};

/// Where contracts verify the signatures of native accounts.
pub const ED25519_VERIFY: Address = address!("00000000000000000000000000000000000ed255");

/// Gas of one verification.
const ED25519_VERIFY_GAS: u64 = 4_000;

/// All precompiles of this chain.
pub fn precompiles() -> Precompiles {
    let ed25519: PrecompileFn = ed25519_verify;
    let mut precompiles = Precompiles::osaka();
    precompiles.extend([(ED25519_VERIFY, ed25519)]);
    precompiles
}

/// R-EXE-13: "for an input of public_key (32) ‖ signature (64) ‖ digest (32) it returns the
/// 32-byte integer 1 if R-TX-5 holds, else nothing."
fn ed25519_verify(input: &[u8], gas: u64) -> PrecompileResult {
    if gas < ED25519_VERIFY_GAS {
        return Err(PrecompileFailure::OutOfGas);
    }
    let output = match is_valid(input) {
        Some(true) => Bytes::copy_from_slice(B256::with_last_byte(1).as_slice()),
        _ => Bytes::new(),
    };
    Ok(PrecompileOutput {
        gas_used: ED25519_VERIFY_GAS,
        output,
    })
}

fn is_valid(input: &[u8]) -> Option<bool> {
    let (public_key, rest) = input.split_first_chunk::<32>()?;
    let (signature, digest) = rest.split_first_chunk::<64>()?;
    let digest: &[u8; 32] = digest.try_into().ok()?;
    Some(verify_ed25519(public_key, digest, signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    #[test]
    fn a_valid_signature_gives_one_and_anything_else_nothing() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let digest = [9; 32];
        let signature = key.sign(&digest).to_bytes();
        let mut input = [
            key.verifying_key().as_bytes().as_slice(),
            &signature,
            &digest,
        ]
        .concat();
        let one = B256::with_last_byte(1);
        let call = |input: &[u8]| ed25519_verify(input, ED25519_VERIFY_GAS).unwrap();
        assert_eq!(call(&input).output.as_ref(), one.as_slice());
        assert_eq!(call(&input).gas_used, 4_000);
        assert!(call(&input[..127]).output.is_empty());
        assert!(call(&[input.as_slice(), &[0]].concat()).output.is_empty());
        input[100] ^= 1;
        assert!(call(&input).output.is_empty());
        let short = ed25519_verify(&input, ED25519_VERIFY_GAS - 1);
        assert_eq!(short, Err(PrecompileFailure::OutOfGas));
    }
}
