//! Functions that stand at an address in place of code: Ethereum's, from the crate `revm-precompile`, and
//! those that a chain adds.

use alloy_primitives::{Address, Bytes, map::AddressMap};
use revm_precompile::{PrecompileHalt, PrecompileStatus};

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

/// A function, wherever it comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Precompile {
    /// One of Ethereum's.
    Ethereum(&'static revm_precompile::Precompile),
    /// One of the chain's own.
    Own(PrecompileFn),
}

impl Precompile {
    pub fn run(&self, input: &[u8], gas: u64) -> PrecompileResult {
        match self {
            Self::Own(function) => function(input, gas),
            Self::Ethereum(precompile) => ethereum(precompile, input, gas),
        }
    }
}

/// Gas that is not counted as gas belongs to forks after Osaka.
const NO_RESERVOIR: u64 = 0;

fn ethereum(precompile: &revm_precompile::Precompile, input: &[u8], gas: u64) -> PrecompileResult {
    let result = precompile.execute(input, gas, NO_RESERVOIR);
    let done = result.expect("Ethereum's precompiles compute: none has anything that can fail");
    match done.status {
        PrecompileStatus::Success => Ok(PrecompileOutput {
            gas_used: done.gas_used,
            output: done.bytes,
        }),
        PrecompileStatus::Halt(PrecompileHalt::OutOfGas) => Err(PrecompileFailure::OutOfGas),
        PrecompileStatus::Halt(_) | PrecompileStatus::Revert => {
            Err(PrecompileFailure::InvalidInput)
        }
    }
}

/// The table of precompiles: address → function. Their addresses are warm in every transaction
/// (EIP-2929). The default table is empty.
#[derive(Clone, Debug, Default)]
pub struct Precompiles {
    functions: AddressMap<Precompile>,
}

impl Precompiles {
    /// Ethereum's, as of Osaka.
    pub fn osaka() -> Self {
        let all = revm_precompile::Precompiles::osaka();
        let functions = all.addresses().filter_map(|address| {
            let precompile = all.get(address)?;
            Some((*address, Precompile::Ethereum(precompile)))
        });
        Self {
            functions: functions.collect(),
        }
    }

    /// The function at `address`, if one stands there.
    pub(crate) fn get(&self, address: &Address) -> Option<Precompile> {
        self.functions.get(address).copied()
    }

    /// Whether a function stands at `address`.
    pub fn contains(&self, address: &Address) -> bool {
        self.functions.contains_key(address)
    }

    /// Every address with a function, in no particular order.
    pub fn addresses(&self) -> impl Iterator<Item = Address> + '_ {
        self.functions.keys().copied()
    }
}

impl Extend<(Address, PrecompileFn)> for Precompiles {
    /// Of several functions for one address the last one stands.
    fn extend<I: IntoIterator<Item = (Address, PrecompileFn)>>(&mut self, functions: I) {
        let functions = functions.into_iter();
        self.functions
            .extend(functions.map(|(address, function)| (address, Precompile::Own(function))));
    }
}

impl FromIterator<(Address, PrecompileFn)> for Precompiles {
    fn from_iter<I: IntoIterator<Item = (Address, PrecompileFn)>>(functions: I) -> Self {
        let mut precompiles = Self::default();
        precompiles.extend(functions);
        precompiles
    }
}
