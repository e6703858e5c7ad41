//! Code, prepared for the interpreter.
//!
//! ```text
//! bytes ──scan──► jump targets
//!   └──on first execution of a block──► symbols (block) ──place──► Ops
//! ```
//!
//! - `op`: what the interpreter runs;
//! - `block`: follows one basic block symbolically, so that PUSH, POP, DUP and SWAP vanish, constants
//!   are folded and comparisons melt into the jump that needs them;
//! - `place`: gives every result a place; `moves`: what has to be moved at the end of the block.
//!
//! A block is translated when it is first reached, so that code which runs once costs little more than
//! what runs of it. Static gas and stack bounds of a block are summed and checked once, at its start: an
//! error there has the same effect as one further on, since either consumes all gas of the frame.
//!
//! Deliberately absent: any state, and gas that depends on operands.

mod block;
mod moves;
mod op;
mod place;

pub(crate) use op::{CONSTANT, ENTRY, Op, OpKind, UNRESOLVED};

use alloy_primitives::{Bytes, U256, map::HashMap};

use crate::opcode;

/// How much of the code is one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Granularity {
    /// As much as possible: fast.
    Block,
    /// One instruction, so that a tracer sees gas and stack between any two.
    Instruction,
}

/// Code with what of it was translated so far.
#[derive(Debug)]
pub(crate) struct Program {
    pub code: Bytes,
    pub ops: Vec<Op>,
    /// What places above [`CONSTANT`] name.
    pub constants: Vec<U256>,
    /// Constants for which no place was left, by [`OpKind::Literal`].
    pub literals: Vec<U256>,
    granularity: Granularity,
    targets: Targets,
    pool: HashMap<U256, u32>,
}

impl Program {
    /// Finds the jump targets of `code`, and translates what is executed first.
    pub fn new(code: Bytes, granularity: Granularity) -> Self {
        let targets = Targets::new(&code);
        let mut program = Self {
            code,
            ops: Vec::new(),
            constants: Vec::new(),
            literals: Vec::new(),
            granularity,
            targets,
            pool: HashMap::default(),
        };
        program.translate(0);
        program
    }

    /// The operation at which the block of the JUMPDEST at `pc` starts; `None` if there is none.
    pub fn target(&mut self, pc: u64) -> Option<usize> {
        let pc = usize::try_from(pc).ok()?;
        match *self.targets.entry(pc)? {
            UNTRANSLATED => Some(self.translate(pc)),
            index => Some(index as usize),
        }
    }

    /// Whether there is a JUMPDEST at `pc`.
    fn is_target(&self, pc: U256) -> bool {
        usize::try_from(pc).is_ok_and(|pc| self.targets.index(pc).is_some())
    }

    /// The place of a constant; `None` if so many are there that a place cannot name one more.
    fn constant(&mut self, value: U256) -> Option<u16> {
        let next = self.constants.len() as u32;
        let index = *self.pool.entry(value).or_insert(next);
        if index == next {
            if next >= u32::from(CONSTANT) {
                self.pool.remove(&value);
                return None;
            }
            self.constants.push(value);
        }
        Some(CONSTANT | index as u16)
    }
}

/// A target whose block was not needed so far.
const UNTRANSLATED: u32 = u32::MAX;

/// Where one may jump to: "valid destinations are JUMPDEST instructions", of which a byte of that value
/// within an immediate is none.
#[derive(Debug)]
struct Targets {
    /// A bit for each byte of code.
    bits: Vec<u64>,
    /// How many targets there are before each word of `bits`.
    ranks: Vec<u32>,
    /// The first operation of each target's block, or [`UNTRANSLATED`].
    entries: Vec<u32>,
}

impl Targets {
    fn new(code: &[u8]) -> Self {
        let mut bits = vec![0_u64; code.len().div_ceil(64)];
        let mut pc = 0;
        while let Some(&byte) = code.get(pc) {
            if byte == opcode::JUMPDEST {
                bits[pc / 64] |= 1 << (pc % 64);
            }
            pc += 1;
            if (opcode::PUSH1..=opcode::PUSH32).contains(&byte) {
                pc += usize::from(byte - opcode::PUSH0);
            }
        }
        let mut count = 0;
        let mut ranks = Vec::with_capacity(bits.len());
        for word in &bits {
            ranks.push(count);
            count += word.count_ones();
        }
        Self {
            bits,
            ranks,
            entries: vec![UNTRANSLATED; count as usize],
        }
    }

    /// The number of the target at `pc`.
    fn index(&self, pc: usize) -> Option<usize> {
        let word = *self.bits.get(pc / 64)?;
        let bit = 1_u64 << (pc % 64);
        let below = (word & (bit - 1)).count_ones() + self.ranks[pc / 64];
        (word & bit != 0).then_some(below as usize)
    }

    fn entry(&mut self, pc: usize) -> Option<&mut u32> {
        let index = self.index(pc)?;
        self.entries.get_mut(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_reaches_is_not_translated() {
        // A jump over 49,000 blocks.
        let mut code = vec![opcode::PUSH0, opcode::PUSH2, 0xbf, 0xff, opcode::JUMPI];
        code.resize(49_152, opcode::JUMPDEST);
        for granularity in [Granularity::Block, Granularity::Instruction] {
            let mut program = Program::new(code.clone().into(), granularity);
            assert!(program.ops.len() < 16);
            assert!(program.target(49_151).is_some());
            assert!(program.ops.len() < 16);
        }
    }

    #[test]
    fn what_is_reached_later_follows_where_there_is_room() {
        let code = [
            opcode::JUMPDEST,
            opcode::JUMPDEST,
            opcode::JUMPDEST,
            opcode::STOP,
        ];
        let mut program = Program::new(code.to_vec().into(), Granularity::Block);
        assert_eq!(program.ops[1].code, OpKind::GoOn);
        assert_eq!(program.go_on(1, 1), 1);
        // The third block is reached by a jump first: the second one has to lead there.
        let third = program.target(2).expect("a JUMPDEST");
        assert_eq!(program.go_on(2, 2), third);
        assert_eq!(
            (program.ops[2].code, program.ops[2].imm),
            (OpKind::Goto, third as u64)
        );
    }
}
