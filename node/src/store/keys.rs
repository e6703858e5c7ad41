//! The keys of the columns, and back.

use alloy_primitives::B256;

use super::StoreError;

/// A height as 8 big-endian bytes.
pub fn height(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// `height ‖ block hash`.
pub fn block(number: u64, hash: B256) -> [u8; 40] {
    let mut key = [0; 40];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key[8..].copy_from_slice(hash.as_slice());
    key
}

/// Splits a key made by [`block`].
pub fn parse_block(key: &[u8]) -> Result<(u64, B256), StoreError> {
    let key: &[u8; 40] = key
        .try_into()
        .map_err(|_| StoreError::corrupt("a block key is not 40 bytes long"))?;
    let (number, hash) = key.split_at(8);
    Ok((parse_height(number)?, B256::from_slice(hash)))
}

/// Reads a height made by [`height`].
pub fn parse_height(bytes: &[u8]) -> Result<u64, StoreError> {
    bytes
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| StoreError::corrupt("a height is not 8 bytes long"))
}

/// Reads a 32-byte hash.
pub fn parse_hash(bytes: &[u8]) -> Result<B256, StoreError> {
    B256::try_from(bytes).map_err(|_| StoreError::corrupt("a hash is not 32 bytes long"))
}

/// `keccak256(address) ‖ keccak256(slot)`.
pub fn slot(account: B256, slot: B256) -> [u8; 64] {
    let mut key = [0; 64];
    key[..32].copy_from_slice(account.as_slice());
    key[32..].copy_from_slice(slot.as_slice());
    key
}

/// `state key ‖ height`: where the before-image of the block at `number` lies.
pub fn history(state_key: &[u8], number: u64) -> Vec<u8> {
    [state_key, &number.to_be_bytes()].concat()
}

/// `height ‖ index` of a transaction.
pub fn location(number: u64, index: u32) -> [u8; 12] {
    let mut value = [0; 12];
    value[..8].copy_from_slice(&number.to_be_bytes());
    value[8..].copy_from_slice(&index.to_be_bytes());
    value
}

/// Reads a value made by [`location`].
pub fn parse_location(bytes: &[u8]) -> Result<(u64, u32), StoreError> {
    let bytes: &[u8; 12] = bytes
        .try_into()
        .map_err(|_| StoreError::corrupt("a transaction location is not 12 bytes long"))?;
    let (number, index) = bytes.split_at(8);
    let index = index.try_into().map(u32::from_be_bytes);
    Ok((
        parse_height(number)?,
        index.expect("4 bytes remain of 12 after 8"),
    ))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::hex;

    use super::*;

    #[test]
    fn bytes_on_disk_are_pinned() {
        let hash = B256::repeat_byte(7);
        let (height_hex, hash_hex) = ("0000000001020304", "07".repeat(32));
        assert_eq!(hex::encode(height(0x0102_0304)), height_hex);
        let key = block(0x0102_0304, hash);
        assert_eq!(hex::encode(key), format!("{height_hex}{hash_hex}"));
        let other = "08".repeat(32);
        let key = slot(hash, B256::repeat_byte(8));
        assert_eq!(hex::encode(key), format!("{hash_hex}{other}"));
        let key = history(&[0xab, 0xcd], 0x0102_0304);
        assert_eq!(hex::encode(key), format!("abcd{height_hex}"));
        let value = location(0x0102_0304, 0x0506);
        assert_eq!(hex::encode(value), format!("{height_hex}00000506"));
    }

    #[test]
    fn keys_round_trip_and_sort_by_height() {
        let hash = B256::repeat_byte(7);
        assert_eq!(parse_block(&block(258, hash)).unwrap(), (258, hash));
        assert_eq!(parse_location(&location(9, 3)).unwrap(), (9, 3));
        assert!(block(255, hash) < block(256, B256::ZERO));
        assert!(parse_block(&[0; 39]).is_err());
        assert!(parse_hash(&[0; 31]).is_err());
        assert!(parse_location(&[0; 11]).is_err());
    }
}
