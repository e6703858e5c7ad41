//! Code, prepared for the interpreter.
//!
//! ```text
//! bytes ──scan──► leaders: where blocks can begin
//!   ├──a block is reached──────────────► plain ──────────────► Ops
//!   └──it is reached again and again──► symbols (follow) ──place──► better Ops
//! ```
//!
//! - `op`: what the interpreter runs;
//! - `leaders`: where blocks can begin, and how often they were reached;
//! - `plain`: translates one instruction after the other, for blocks that may run once only;
//! - `follow`, `ending`: follow one basic block (`block`) symbolically, so that PUSH, POP, DUP and SWAP vanish,
//!   constants are folded and comparisons melt into the jump that needs them;
//! - `place`: gives every result a place; `moves`: what has to be moved at the end of the block;
//! - `meaning`: which instruction is which operation, for both translations;
//! - `translate`: which of them is due.
//!
//! A block is translated when it is reached, and thoroughly only once it is warm: a stranger may send code that runs
//! once, and pays for the run only. Static gas and stack bounds of a block are summed and checked once, at its start:
//! an error there has the same effect as one further on, since either consumes all gas of the frame.
//!
//! Deliberately absent: any state, and gas that depends on operands.

mod block;
mod ending;
mod follow;
mod leaders;
mod meaning;
mod moves;
mod op;
mod place;
mod plain;
mod translate;

pub(crate) use leaders::Translation;
pub(crate) use op::{CONSTANT, ENTRY, Op, OpKind, UNRESOLVED};

use alloy_primitives::{Bytes, U256, map::HashMap};

use leaders::Leaders;

/// Code with what of it was translated so far.
#[derive(Debug)]
pub(crate) struct Program {
    pub code: Bytes,
    pub ops: Vec<Op>,
    /// What places above [`CONSTANT`] name.
    pub constants: Vec<U256>,
    /// Constants for which there is no place, by [`OpKind::Literal`].
    pub literals: Vec<U256>,
    translation: Translation,
    leaders: Leaders,
    pool: HashMap<U256, u32>,
}

impl Program {
    /// Finds where blocks can begin in `code`, and translates nothing so far.
    pub fn new(code: Bytes, translation: Translation) -> Self {
        Self {
            leaders: Leaders::new(&code),
            code,
            ops: Vec::new(),
            constants: Vec::new(),
            literals: Vec::new(),
            translation,
            pool: HashMap::default(),
        }
    }

    /// Becomes the program of other code; keeps the allocations.
    pub fn replace(&mut self, code: Bytes) {
        let Self {
            code: old,
            ops,
            constants,
            literals,
            translation: _,
            leaders,
            pool,
        } = self;
        leaders.replace(&code);
        *old = code;
        ops.clear();
        constants.clear();
        literals.clear();
        pool.clear();
    }

    /// Memory that it takes, the code included.
    pub fn size_bytes(&self) -> usize {
        let words = self.constants.capacity() + self.literals.capacity() + 2 * self.pool.capacity();
        self.code.len()
            + size_of::<Op>() * self.ops.capacity()
            + size_of::<U256>() * words
            + self.leaders.size_bytes()
            + size_of::<Self>()
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

/// The operand of the PUSH at `pc`, of at least one byte; bytes beyond the end of the code are zeros.
fn immediate(code: &[u8], pc: usize, len: usize) -> U256 {
    let start = (pc + 1).min(code.len());
    if let Some(whole) = code[start..].first_chunk::<32>() {
        return match len {
            32 => U256::from_be_bytes(*whole),
            _ => U256::from_be_bytes(*whole) >> (256 - 8 * len),
        };
    }
    let bytes = &code[start..(start + len).min(code.len())];
    let mut word = [0; 32];
    word[32 - len..32 - len + bytes.len()].copy_from_slice(bytes);
    U256::from_be_bytes(word)
}
