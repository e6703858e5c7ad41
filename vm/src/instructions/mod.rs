//! Instructions that are more than arithmetic, a file for each group.
//!
//! | file | instructions |
//! |---|---|
//! | [`bytes`] | KECCAK256, CALLDATALOAD, and all that copies within or into memory |
//! | [`environment`] | words of block, transaction and frame; BLOCKHASH |
//! | [`state`] | other accounts: BALANCE, EXTCODE…, SELFDESTRUCT |
//! | [`storage`] | SLOAD, SSTORE |
//! | [`log`] | LOG0 to LOG4 |
//! | [`call`] | CALL, CALLCODE, DELEGATECALL, STATICCALL |
//! | [`create`] | CREATE, CREATE2 |
//!
//! Arithmetic is in [`word`](crate::word), memory words and jumps in [`interpreter`](crate::interpreter).

pub(crate) mod bytes;
pub(crate) mod call;
pub(crate) mod create;
pub(crate) mod environment;
pub(crate) mod log;
pub(crate) mod state;
pub(crate) mod storage;

use alloy_primitives::{Address, U256};

use crate::{Halt, frame::Frame, interpreter::World, memory::Range};

/// Why an instruction did not finish.
#[derive(Debug)]
pub(crate) enum Stop<E> {
    /// The frame broke a rule.
    Halt(Halt),
    /// The state could not be read.
    State(E),
}

/// What an instruction works on.
pub(crate) struct Context<'a, 'w, S: ?Sized> {
    pub frame: &'a mut Frame,
    pub world: &'a mut World<'w, S>,
    /// Gas of the frame, less the static gas of the block.
    pub gas: u64,
}

impl<S: ?Sized> Context<'_, '_, S> {
    /// Charges gas.
    pub fn charge<E>(&mut self, gas: u64) -> Result<(), Stop<E>> {
        self.gas = self
            .gas
            .checked_sub(gas)
            .ok_or(Stop::Halt(Halt::OutOfGas))?;
        Ok(())
    }

    /// Makes memory available and pays for it.
    pub fn expand<E>(&mut self, offset: U256, len: U256) -> Result<Range, Stop<E>> {
        let range = crate::interpreter::expand(&mut self.frame.memory, &mut self.gas, offset, len);
        range.ok_or(Stop::Halt(Halt::OutOfGas))
    }

    /// EIP-214: nothing that changes the state is allowed below a STATICCALL.
    pub fn changes_state<E>(&self) -> Result<(), Stop<E>> {
        if self.frame.is_static {
            return Err(Stop::Halt(Halt::StaticViolation));
        }
        Ok(())
    }
}

/// The address in the lower 20 bytes of a word.
pub(crate) fn address(word: U256) -> Address {
    Address::from_word(word.into())
}
