//! Functions that stand at an address in place of code. The node chooses them; the machine only calls.

use alloy_primitives::{Address, Bytes, map::AddressMap};

/// A precompile: input and gas available in, output and gas used out. It must be a pure function.
pub type PrecompileFn = fn(input: &[u8], gas: u64) -> PrecompileResult;

/// What a precompile returns. A failure consumes all the gas of its frame.
pub type PrecompileResult = Result<PrecompileOutput, PrecompileFailure>;

/// A precompile's success.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrecompileOutput {
    /// Gas consumed. More than was available counts as out of gas.
    pub gas_used: u64,
    /// The bytes returned.
    pub output: Bytes,
}

/// Why a precompile failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrecompileFailure {
    /// The gas does not suffice.
    #[error("out of gas")]
    OutOfGas,
    /// The input is not one that the precompile accepts.
    #[error("input refused")]
    InvalidInput,
}

/// The table of precompiles: address → function. Their addresses are warm in every transaction
/// (EIP-2929). The default table is empty.
#[derive(Clone, Debug, Default)]
pub struct Precompiles {
    functions: AddressMap<PrecompileFn>,
}

impl Precompiles {
    /// The function at `address`, if one stands there.
    pub fn get(&self, address: &Address) -> Option<PrecompileFn> {
        self.functions.get(address).copied()
    }

    /// Every address with a function, in no particular order.
    pub fn addresses(&self) -> impl Iterator<Item = Address> + '_ {
        self.functions.keys().copied()
    }
}

impl FromIterator<(Address, PrecompileFn)> for Precompiles {
    /// Of several functions for one address the last one stands.
    fn from_iter<I: IntoIterator<Item = (Address, PrecompileFn)>>(functions: I) -> Self {
        Self {
            functions: functions.into_iter().collect(),
        }
    }
}
