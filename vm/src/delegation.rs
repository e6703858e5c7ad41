//! EIP-7702's delegation indicator: 23 bytes of code that point to another account's code.

use alloy_primitives::{Address, Bytes};

/// The first bytes of every indicator; EIP-3541 keeps contracts from deploying code that begins so.
const PREFIX: [u8; 3] = [0xef, 0x01, 0x00];

/// Length of an indicator, bytes.
pub const INDICATOR_LEN: usize = PREFIX.len() + 20;

/// The code that delegates to `address`: `0xef0100 || address`.
pub fn indicator(address: Address) -> Bytes {
    let mut code = [0; INDICATOR_LEN];
    code[..PREFIX.len()].copy_from_slice(&PREFIX);
    code[PREFIX.len()..].copy_from_slice(address.as_slice());
    Bytes::copy_from_slice(&code)
}

/// The account that `code` delegates to; `None` if `code` is not an indicator.
pub fn delegate(code: &[u8]) -> Option<Address> {
    let address = code.strip_prefix(&PREFIX)?;
    Address::try_from(address).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{address, hex};

    const DELEGATE: Address = address!("0x00112233445566778899aabbccddeeff00112233");

    #[test]
    fn the_indicator_is_the_prefix_and_the_address() {
        let expected = hex!("ef010000112233445566778899aabbccddeeff00112233");
        assert_eq!(indicator(DELEGATE).as_ref(), expected);
        assert_eq!(delegate(&expected), Some(DELEGATE));
    }

    #[test]
    fn anything_else_is_ordinary_code() {
        let exact = indicator(DELEGATE);
        let longer = [exact.as_ref(), &[0]].concat();
        let other_version = hex!("ef010100112233445566778899aabbccddeeff00112233");
        for code in [&[][..], &PREFIX, &exact[..22], &longer, &other_version] {
            assert_eq!(delegate(code), None, "{code:02x?}");
        }
    }
}
