//! The seal: what a miner varies, the 80 bytes that it hashes, and the block's hash.
//!
//! ```text
//! 80 bytes = version LE | parent hash reversed | SHA256d(coinbase) | seal.time LE | bits LE | nonce LE
//! coinbase = 01000000 01 00×32 ffffffff LL <push height> 0c<extranonce> ffffffff 02
//!            00×8 26 6a24 "CRN1" <commitment>   00×8 16 0014 <beneficiary>   00000000
//! ```
//!
//! The coinbase is rebuilt from header and seal and never stored. Hashes are kept in display order
//! (leading zeros first) everywhere; they are reversed inside the 80 bytes only.

use alloy_primitives::{Address, B256};
use alloy_rlp::{Encodable, RlpEncodable};
use sha2::{Digest, Sha256};

use crate::{
    codec::{self, DecodeError},
    header::Header,
};

/// Value that the fixed bits of the version must have (R-SEAL-3): BIP 9's, so that mining software
/// takes it for a modern Bitcoin block.
pub const SEAL_VERSION: u32 = 0x2000_0000;
/// The fixed bits of the version; the other 16 may be rolled by miners (BIP 320).
pub const SEAL_VERSION_MASK: u32 = 0xe000_1fff;
/// How far the seal's time may run ahead of the header's timestamp, in seconds (R-SEAL-4).
pub const SEAL_TIME_WINDOW_S: u64 = 600;
/// Length of the extranonce, in bytes: 4 of the server and 8 of the miner under Stratum.
pub const EXTRANONCE_BYTES: usize = 12;

/// Marks the output that carries the commitment.
const COMMITMENT_MAGIC: &[u8; 4] = b"CRN1";

/// What a miner varies. Its RLP is the list of the fields in this order (R-ENC-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, RlpEncodable)]
pub struct Seal {
    /// Block version; see [`SEAL_VERSION`].
    pub version: u32,
    /// Seconds since 1970, from the header's timestamp to 600 s after it.
    pub time: u32,
    /// The nonce of the 80 bytes.
    pub nonce: u32,
    /// The free bytes of the coinbase.
    pub extranonce: [u8; EXTRANONCE_BYTES],
}

impl Seal {
    pub(crate) fn decode_from(bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        let payload = &mut codec::list(bytes, "seal")?;
        let seal = Self {
            version: codec::field(payload, "version")?,
            time: codec::field(payload, "time")?,
            nonce: codec::field(payload, "nonce")?,
            extranonce: codec::field(payload, "extranonce")?,
        };
        codec::end_of_list(payload, "seal")?;
        Ok(seal)
    }

    /// Decodes a seal that stands alone.
    ///
    /// # Errors
    /// If the bytes are not the canonical encoding of a seal, to the last byte.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let seal = Self::decode_from(&mut bytes)?;
        codec::end_of_input(bytes)?;
        Ok(seal)
    }

    /// The canonical RLP.
    pub fn encode(&self) -> Vec<u8> {
        alloy_rlp::encode(self)
    }

    /// Length of the RLP, in bytes.
    pub(crate) fn encoded_length(&self) -> usize {
        Encodable::length(self)
    }
}

/// The coinbase: a Bitcoin transaction in shape, so that any SHA-256 miner accepts it (R-SEAL-1).
///
/// Stratum's hole for the extranonce is the 12 bytes after the `0c`.
pub fn coinbase(
    number: u64,
    beneficiary: Address,
    commitment: B256,
    extranonce: [u8; EXTRANONCE_BYTES],
) -> Vec<u8> {
    let (height, length) = height_push(number);
    let height = &height[..usize::from(length)];
    let mut bytes = Vec::with_capacity(160);
    bytes.extend_from_slice(&[1, 0, 0, 0, 1]); // version, one input
    bytes.extend_from_slice(&[0; 32]); // no previous output
    bytes.extend_from_slice(&[0xff; 4]);
    bytes.push(1 + length + 13); // script: two pushes
    bytes.push(length);
    bytes.extend_from_slice(height);
    bytes.push(12);
    bytes.extend_from_slice(&extranonce);
    bytes.extend_from_slice(&[0xff; 4]); // sequence
    bytes.push(2); // two outputs, both of value 0
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&[0x26, 0x6a, 0x24]); // OP_RETURN and a push of 36 bytes
    bytes.extend_from_slice(COMMITMENT_MAGIC);
    bytes.extend_from_slice(commitment.as_slice());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&[0x16, 0x00, 0x14]); // shown by miners as a payment to the beneficiary
    bytes.extend_from_slice(beneficiary.as_slice());
    bytes.extend_from_slice(&[0; 4]); // lock time
    bytes
}

/// The height as Bitcoin's script pushes it, but for small ones never as an opcode (R-SEAL-2:
/// "minimal little-endian bytes, at least one, plus a 00 byte if the top bit is set"). Returns the
/// bytes and how many of them count.
fn height_push(number: u64) -> ([u8; 9], u8) {
    let mut bytes = [0; 9];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    let mut length: u8 = 1;
    while length < 9 && number >> (8 * u32::from(length) - 1) != 0 {
        length += 1;
    }
    (bytes, length)
}

/// The 80 bytes that are hashed for the proof of work (R-SEAL-1).
pub fn sealing_bytes(header: &Header, seal: &Seal) -> [u8; 80] {
    let coinbase = coinbase(
        header.number,
        header.beneficiary,
        header.commitment(),
        seal.extranonce,
    );
    eighty_bytes(header, seal, sha256d(&coinbase))
}

fn eighty_bytes(header: &Header, seal: &Seal, merkle_root: [u8; 32]) -> [u8; 80] {
    let mut parent = header.parent_hash.0;
    parent.reverse();
    let mut bytes = [0; 80];
    bytes[0..4].copy_from_slice(&seal.version.to_le_bytes());
    bytes[4..36].copy_from_slice(&parent);
    bytes[36..68].copy_from_slice(&merkle_root);
    bytes[68..72].copy_from_slice(&seal.time.to_le_bytes());
    bytes[72..76].copy_from_slice(&header.bits.to_le_bytes());
    bytes[76..80].copy_from_slice(&seal.nonce.to_le_bytes());
    bytes
}

/// The block's hash in display order: SHA-256d of the 80 bytes, reversed (R-SEAL-5).
pub fn block_hash(header: &Header, seal: &Seal) -> B256 {
    hash_of_eighty(&sealing_bytes(header, seal))
}

fn hash_of_eighty(bytes: &[u8; 80]) -> B256 {
    let mut hash = sha256d(bytes);
    hash.reverse();
    B256::new(hash)
}

fn sha256d(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(bytes)).into()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, hex};
    use serde_json::Value;

    use super::*;
    use crate::{pow::Target, vectors};

    fn header(parent_hash: B256, bits: u32) -> Header {
        Header {
            parent_hash,
            bits,
            ..crate::ChainSpec::builtin("dev")
                .unwrap()
                .genesis_block()
                .header
        }
    }

    fn seal(version: u32, time: u32, nonce: u32) -> Seal {
        Seal {
            version,
            time,
            nonce,
            extranonce: [0; 12],
        }
    }

    /// Bitcoin's block 1, put together as a miner under Stratum does.
    #[test]
    fn r_seal_1_5_bitcoins_block_1_from_its_coinbase() {
        let coinbase = hex!(
            "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff07"
            "04ffff001d0104ffffffff0100f2052a0100000043410496b538e853519c726a2c91e61ec11600ae1390"
            "813a627c66fb8be7947be63c52da7589379515d4e0a604f8141781e62294721166bf621e73a82cbf2342"
            "c858eeac00000000"
        );
        let merkle_root = sha256d(&coinbase);
        let parent: B256 = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
            .parse()
            .unwrap();
        let header = header(parent, 0x1d00_ffff);
        let seal = seal(1, 0x4966_bc61, 0x9962_e301);
        let bytes = eighty_bytes(&header, &seal, merkle_root);
        let expected = hex!(
            "010000006fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000982051fd1e4b"
            "a744bbbe680e1fee14677ba1a3c3540bf7b1cdb606e857233e0e61bc6649ffff001d01e36299"
        );
        assert_eq!(bytes, expected);
        let hash = "0x00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048";
        assert_eq!(hash_of_eighty(&bytes).to_string(), hash);
    }

    #[test]
    fn r_seal_5_bitcoins_headers() {
        let Some(cases) = vectors::json("small/bitcoin-headers/headers.json") else {
            return;
        };
        for case in cases.as_array().unwrap() {
            let text = |key: &str| case[key].as_str().unwrap();
            let number = |key: &str| u32::try_from(case[key].as_u64().unwrap()).unwrap();
            let bits = u32::from_str_radix(&text("bits")[2..], 16).unwrap();
            let mut merkle_root: [u8; 32] =
                hex::decode(text("merkle")).unwrap().try_into().unwrap();
            merkle_root.reverse();
            let header = header(text("prev").parse().unwrap(), bits);
            let seal = seal(number("version"), number("time"), number("nonce"));
            let bytes = eighty_bytes(&header, &seal, merkle_root);
            assert_eq!(hex::encode(bytes), text("header"));
            let hash = hash_of_eighty(&bytes);
            assert_eq!(hash, text("hash").parse::<B256>().unwrap());
            assert_target(case, bits, hash);
        }
    }

    fn assert_target(case: &Value, bits: u32, hash: B256) {
        let target = Target::from_bits(bits);
        let value = target.map_or(U256::ZERO, |target| target.value());
        let expected = U256::from_str_radix(case["target"].as_str().unwrap(), 16).unwrap();
        assert_eq!(value, expected, "{case}");
        let met = target.is_ok_and(|target| target.is_met_by(hash));
        assert_eq!(met, case["pow_ok"].as_bool().unwrap(), "{case}");
    }

    #[test]
    fn r_seal_2_heights_are_pushed_as_bitcoin_pushes_numbers() {
        let push = |number| {
            let (bytes, length) = height_push(number);
            hex::encode(&bytes[..usize::from(length)])
        };
        let pushes = [0, 1, 127, 128, 255, 256, 32_767, 32_768].map(push);
        let expected = ["00", "01", "7f", "8000", "ff00", "0001", "ff7f", "008000"];
        assert_eq!(pushes, expected);
        assert_eq!(push((1 << 31) - 1), "ffffff7f", "four bytes at most");
        assert_eq!(
            push(u64::MAX),
            "ffffffffffffffff00",
            "never received, but no panic"
        );
    }
}
