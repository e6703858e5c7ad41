//! What an instruction costs, told before it runs.
//!
//! Tracers show the price of an instruction together with the machine before it, also of one that
//! fails for its price; the machine itself charges bit by bit while it runs. Tests hold the two
//! against each other, instruction by instruction.

use alloy_primitives::{Address, U256};
use cairn_vm::gas::{
    CALL_VALUE, COLD_ACCOUNT, COLD_ACCOUNT_ACCESS, COLD_SLOAD, COPY_WORD, EXP_BYTE, INIT_CODE_WORD,
    KECCAK_WORD, LOG_BYTE, MAX_INIT_CODE_LEN, NEW_ACCOUNT, SSTORE_STIPEND, WARM_ACCESS, words,
};
use cairn_vm::opcode::{self, info};
use cairn_vm::trace::{Step, store_gas};

use super::base::{Base, address, item};
use super::fault::{Fault, Unpriced};
use crate::store::StoreError;

/// Items that a stack holds.
const STACK_LIMIT: usize = 1024;

/// Bytes of memory whose price 64 bits still hold, by geth's reckoning.
const MAX_MEMORY_BYTES: u64 = 0x1f_ffff_ffe0;

/// An instruction that is about to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Priced {
    /// Its price in gas, that of a call with the gas that it hands on. Where it has none, what was
    /// known of it.
    pub cost: u64,
    /// The refund counter, with what SSTORE is going to add.
    pub refund: i64,
    /// Why it will not run.
    pub fault: Option<Fault>,
}

/// What ends the computation of a price.
enum Stop {
    Unpriced(Unpriced),
    State(StoreError),
}

impl From<Unpriced> for Stop {
    fn from(unpriced: Unpriced) -> Self {
        Self::Unpriced(unpriced)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::State(error)
    }
}

/// Prices the instruction that is about to run.
///
/// # Errors
/// If the state cannot be read.
pub fn price(step: &Step<'_>, base: Base<'_>) -> Result<Priced, StoreError> {
    let fixed = fixed(step.opcode);
    let mut priced = Priced {
        cost: fixed,
        refund: step.refund,
        fault: stack_fault(step),
    };
    if priced.fault.is_some() {
        return Ok(priced);
    }
    let Some(left) = step.gas.checked_sub(fixed) else {
        priced.fault = Some(Fault::OutOfGas);
        return Ok(priced);
    };
    let Some(memory) = memory_need(step) else {
        priced.fault = Some(Fault::MemoryOverflow);
        return Ok(priced);
    };
    let pricing = Pricing {
        step,
        base,
        left,
        memory,
    };
    match pricing.variable(&mut priced.refund) {
        Ok(variable) => {
            priced.cost = fixed.saturating_add(variable);
            priced.fault = (variable > left).then_some(Fault::OutOfGas);
        }
        Err(Stop::Unpriced(unpriced)) => priced.fault = Some(unpriced.into()),
        Err(Stop::State(error)) => return Err(error),
    }
    Ok(priced)
}

/// What is charged first. geth reckons some prices that are always the same to the variable part.
fn fixed(byte: u8) -> u64 {
    match byte {
        opcode::EXP | opcode::SLOAD | opcode::LOG0..=opcode::LOG4 => 0,
        _ => info(byte).map_or(0, |info| u64::from(info.gas)),
    }
}

fn stack_fault(step: &Step<'_>) -> Option<Fault> {
    let info = info(step.opcode)?;
    let (len, required) = (step.stack.len(), usize::from(info.inputs));
    if len < required {
        return Some(Fault::StackUnderflow { len, required });
    }
    let limit = STACK_LIMIT + required - usize::from(info.outputs);
    (len > limit).then_some(Fault::StackOverflow { len, limit })
}

/// Where the memory that it needs ends, rounded up to words; `None` beyond 64 bits.
fn memory_need(step: &Step<'_>) -> Option<u64> {
    use opcode as op;
    let at = |index| item(step, index);
    let word = U256::from(32);
    let end = match step.opcode {
        op::KECCAK256 | op::RETURN | op::REVERT | op::LOG0..=op::LOG4 => end(at(0), at(1)),
        op::CALLDATACOPY | op::CODECOPY | op::RETURNDATACOPY => end(at(0), at(2)),
        op::MCOPY => end(at(0).max(at(1)), at(2)),
        op::EXTCODECOPY => end(at(1), at(3)),
        op::MLOAD | op::MSTORE => end(at(0), word),
        op::MSTORE8 => end(at(0), U256::ONE),
        op::CREATE | op::CREATE2 => end(at(1), at(2)),
        op::CALL | op::CALLCODE => Some(end(at(3), at(4))?.max(end(at(5), at(6))?)),
        op::DELEGATECALL | op::STATICCALL => Some(end(at(2), at(3))?.max(end(at(4), at(5))?)),
        _ => Some(0),
    };
    end?.div_ceil(32).checked_mul(32)
}

fn end(offset: U256, len: U256) -> Option<u64> {
    match u64::try_from(len).ok()? {
        0 => Some(0),
        len => u64::try_from(offset).ok()?.checked_add(len),
    }
}

/// One instruction, with what its price depends on.
struct Pricing<'a> {
    step: &'a Step<'a>,
    base: Base<'a>,
    /// Gas left after the fixed part.
    left: u64,
    /// Bytes of memory it needs.
    memory: u64,
}

impl Pricing<'_> {
    /// The variable part.
    fn variable(&self, refund: &mut i64) -> Result<u64, Stop> {
        use opcode as op;
        let byte = self.step.opcode;
        Ok(match byte {
            op::EXP => 10 + EXP_BYTE * self.item(1).byte_len() as u64,
            op::KECCAK256 => self.memory()? + words(self.len(1), KECCAK_WORD),
            op::CALLDATACOPY | op::CODECOPY | op::RETURNDATACOPY | op::MCOPY => {
                self.memory()? + words(self.len(2), COPY_WORD)
            }
            op::MLOAD | op::MSTORE | op::MSTORE8 | op::RETURN | op::REVERT => self.memory()?,
            op::LOG0..=op::LOG4 => {
                let fixed = info(byte).map_or(0, |info| u64::from(info.gas));
                self.memory()? + fixed + LOG_BYTE * self.len(1)
            }
            op::BALANCE | op::EXTCODESIZE | op::EXTCODEHASH => self.cold(0, COLD_ACCOUNT),
            op::EXTCODECOPY => {
                self.memory()? + words(self.len(3), COPY_WORD) + self.cold(0, COLD_ACCOUNT)
            }
            op::SLOAD => self.sload(),
            op::SSTORE => self.sstore(refund)?,
            op::CREATE => self.create(INIT_CODE_WORD)?,
            op::CREATE2 => self.create(INIT_CODE_WORD + KECCAK_WORD)?,
            op::CALL | op::CALLCODE | op::DELEGATECALL | op::STATICCALL => self.call()?,
            op::SELFDESTRUCT => self.self_destruct()?,
            _ => 0,
        })
    }

    fn item(&self, index: usize) -> U256 {
        item(self.step, index)
    }

    /// A length whose memory is known to be within bounds.
    fn len(&self, index: usize) -> u64 {
        u64::try_from(self.item(index)).unwrap_or(u64::MAX)
    }

    fn memory(&self) -> Result<u64, Unpriced> {
        if self.memory > MAX_MEMORY_BYTES {
            return Err(Unpriced::Overflow);
        }
        let all = |bytes: u64| {
            let words = bytes / 32;
            3 * words + words * words / 512
        };
        Ok(all(self.memory).saturating_sub(all(self.step.memory.len() as u64)))
    }

    /// What the first access to an account costs more (EIP-2929).
    fn cold(&self, index: usize, more: u64) -> u64 {
        let is_warm = self.step.journal.is_warm(address(self.step, index));
        if is_warm { 0 } else { more }
    }

    fn changes_state(&self) -> Result<(), Unpriced> {
        match self.step.is_static {
            true => Err(Unpriced::WriteProtection),
            false => Ok(()),
        }
    }

    fn sload(&self) -> u64 {
        let (owner, slot) = (self.step.address, self.item(0));
        let is_warm = self.step.journal.is_slot_warm(owner, slot);
        WARM_ACCESS + if is_warm { 0 } else { COLD_SLOAD }
    }

    fn sstore(&self, refund: &mut i64) -> Result<u64, Stop> {
        self.changes_state()?;
        if self.left <= SSTORE_STIPEND {
            return Err(Unpriced::Sentry.into());
        }
        let access = self.base.slot(self.step, self.item(0))?;
        let (gas, earned) = store_gas(&access, self.item(1));
        *refund = refund.saturating_add(earned);
        Ok(gas)
    }

    fn create(&self, per_word: u64) -> Result<u64, Stop> {
        self.changes_state()?;
        let memory = self.memory()?;
        let len = self.len(2);
        match len > MAX_INIT_CODE_LEN as u64 {
            true => Err(Unpriced::InitCodeTooLarge { len }.into()),
            false => Ok(memory + words(len, per_word)),
        }
    }

    /// What does not suffice for a part leaves the rest unknown.
    fn call(&self) -> Result<u64, Stop> {
        let has_value = matches!(self.step.opcode, opcode::CALL | opcode::CALLCODE);
        let moves_value = has_value && !self.item(2).is_zero();
        let is_call = self.step.opcode == opcode::CALL;
        if is_call && moves_value {
            self.changes_state()?;
        }
        let target = address(self.step, 1);
        let mut left = self.left;
        self.pay(&mut left, self.cold(1, COLD_ACCOUNT))?;
        self.pay(&mut left, self.memory()?)?;
        if moves_value {
            self.pay(&mut left, CALL_VALUE)?;
            if is_call && self.base.is_empty(self.step, target)? {
                self.pay(&mut left, NEW_ACCOUNT)?;
            }
        }
        if let Some(delegate) = self.base.delegate(self.step, target)? {
            self.pay(&mut left, self.delegation(target, delegate))?;
        }
        // EIP-150: all but one 64th at the most.
        let most = left - left / 64;
        let handed_on = self.item(0).min(U256::from(most)).saturating_to::<u64>();
        Ok(self.left - left + handed_on)
    }

    /// EIP-7702. The target itself has become warm by then.
    fn delegation(&self, target: Address, delegate: Address) -> u64 {
        let is_warm = delegate == target || self.step.journal.is_warm(delegate);
        if is_warm {
            WARM_ACCESS
        } else {
            COLD_ACCOUNT_ACCESS
        }
    }

    fn pay(&self, left: &mut u64, gas: u64) -> Result<(), Unpriced> {
        *left = left.checked_sub(gas).ok_or(Unpriced::OutOfGas)?;
        Ok(())
    }

    fn self_destruct(&self) -> Result<u64, Stop> {
        self.changes_state()?;
        let cold = self.cold(0, COLD_ACCOUNT_ACCESS);
        if self.left < cold {
            return Err(Unpriced::OutOfGas.into());
        }
        let own = self.step.journal.peek(self.step.address);
        let gives_value = own.is_some_and(|account| !account.balance().is_zero());
        let is_new = gives_value && self.base.is_empty(self.step, address(self.step, 0))?;
        Ok(cold + if is_new { NEW_ACCOUNT } else { 0 })
    }
}
