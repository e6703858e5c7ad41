//! Where blocks can begin, and what became of the block at each such place.
//!
//! A *leader* is the first instruction, a JUMPDEST, or the instruction behind a JUMPI, a call or a creation: whoever
//! runs the code gets from one leader to the next, or leaves. A byte within an immediate is none.

use super::block::Next;
use crate::opcode;

/// How often a block is run in its plain translation. A thorough one costs about ten times as much as a plain one, so
/// this is enough for it to hardly matter, and too few for anybody to see it.
const WARM: u8 = 32;

/// From then on a block is translated thoroughly along with one that falls into it.
const LUKEWARM: u8 = WARM / 2;

/// Set where the translation is the last one; the first operation is below it.
const SETTLED: u32 = 1 << 31;

/// How much a translation may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// As little as possible: an operation for each instruction.
    Plain,
    /// What it takes to make the block fast.
    Thorough,
}

/// How a program is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Translation {
    /// Plainly, and thoroughly once a block is warm: code that runs once is not worth more.
    Warming,
    /// Thoroughly at first sight.
    Thorough,
    /// Plainly, one instruction to a block, so that a tracer sees gas and stack between any two.
    ByInstruction,
}

/// What to do about a block that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// Run what was translated for good, at this operation.
    Settled(usize),
    /// Run what was translated for now, at this operation.
    Provisional(usize),
    /// Translate it plainly, for now.
    New,
    /// Translate it for good.
    Due(Effort),
}

/// The leaders of some code.
#[derive(Debug, Default)]
pub(super) struct Leaders {
    /// A bit for each byte of code, and for the place behind it.
    bits: Vec<u64>,
    /// How many leaders there are before each word of `bits`.
    ranks: Vec<u32>,
    /// The first operation of each leader's block.
    entries: Vec<u32>,
    /// How often each leader was reached, until it settles; at most [`WARM`].
    heat: Vec<u8>,
}

impl Leaders {
    pub fn new(code: &[u8]) -> Self {
        let mut leaders = Self::default();
        leaders.replace(code);
        leaders
    }

    /// Becomes those of other code; keeps the allocations.
    pub fn replace(&mut self, code: &[u8]) {
        let Self {
            bits,
            ranks,
            entries,
            heat,
        } = self;
        mark(code, bits);
        ranks.clear();
        let mut count = 0;
        ranks.extend(bits.iter().map(|word| {
            let before = count;
            count += word.count_ones();
            before
        }));
        zero(entries, count as usize);
        zero(heat, count as usize);
    }

    /// Memory that they take.
    pub fn size_bytes(&self) -> usize {
        8 * self.bits.capacity()
            + 4 * (self.ranks.capacity() + self.entries.capacity())
            + self.heat.capacity()
    }

    /// The number of the leader at `pc`.
    pub fn index(&self, pc: usize) -> Option<usize> {
        let word = *self.bits.get(pc / 64)?;
        let bit = 1_u64 << (pc % 64);
        let below = (word & (bit - 1)).count_ones() + self.ranks[pc / 64];
        (word & bit != 0).then_some(below as usize)
    }

    /// The first operation of the last translation.
    pub fn settled(&self, leader: usize) -> Option<usize> {
        let entry = self.entries[leader];
        (entry & SETTLED != 0).then_some((entry & !SETTLED) as usize)
    }

    /// Counts that somebody gets there.
    pub fn reach(&mut self, leader: usize, translation: Translation) -> Reached {
        if let Some(op) = self.settled(leader) {
            return Reached::Settled(op);
        }
        let heat = &mut self.heat[leader];
        match translation {
            Translation::Warming if *heat == 0 => Reached::New,
            Translation::Warming if *heat < WARM => {
                *heat += 1;
                Reached::Provisional(self.entries[leader] as usize)
            }
            Translation::Warming | Translation::Thorough => Reached::Due(Effort::Thorough),
            Translation::ByInstruction => Reached::Due(Effort::Plain),
        }
    }

    /// Whether nobody was there so far.
    pub fn is_cold(&self, leader: usize) -> bool {
        self.heat[leader] == 0 && self.settled(leader).is_none()
    }

    /// Whether a block is to be translated thoroughly along with the one that it follows. If it always does, it ran as
    /// often.
    pub fn is_due_after(&self, leader: usize, next: Next) -> bool {
        let enough = if next.is_certain { 1 } else { LUKEWARM };
        self.heat[leader] >= enough
    }

    /// Notes a translation for now.
    pub fn enter(&mut self, leader: usize, op: usize) {
        self.entries[leader] = op as u32;
        self.heat[leader] = 1;
    }

    /// Notes the last translation.
    pub fn settle(&mut self, leader: usize, op: usize) {
        self.entries[leader] = op as u32 | SETTLED;
    }
}

/// Makes them so many zeros. New ones come from the system, which need not touch those that nobody reads.
fn zero<T: Copy + Default>(numbers: &mut Vec<T>, count: usize) {
    if numbers.capacity() < count {
        *numbers = vec![T::default(); count];
    } else {
        numbers.clear();
        numbers.resize(count, T::default());
    }
}

/// Sets the bit of each leader.
fn mark(code: &[u8], bits: &mut Vec<u64>) {
    bits.clear();
    bits.resize(code.len() / 64 + 1, 0);
    bits[0] = 1;
    let mut pc = 0;
    while let Some(&byte) = code.get(pc) {
        match byte {
            opcode::JUMPDEST => bits[pc / 64] |= 1 << (pc % 64),
            opcode::PUSH1..=opcode::PUSH32 => pc += usize::from(byte - opcode::PUSH0),
            opcode::JUMPI
            | opcode::CREATE..=opcode::CALLCODE
            | opcode::DELEGATECALL
            | opcode::CREATE2
            | opcode::STATICCALL => bits[(pc + 1) / 64] |= 1 << ((pc + 1) % 64),
            _ => {}
        }
        pc += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(code: &[u8]) -> Vec<usize> {
        let leaders = Leaders::new(code);
        (0..code.len() + 80)
            .filter(|pc| leaders.index(*pc).is_some())
            .collect()
    }

    #[test]
    fn blocks_begin_where_one_may_arrive() {
        use opcode as op;
        assert_eq!(all(&[]), [0]);
        assert_eq!(all(&[op::PUSH1, op::JUMPDEST, op::JUMPDEST]), [0, 2]);
        let code = [
            op::JUMPI,
            op::PUSH2,
            op::JUMPI,
            op::CALL,
            op::CALL,
            op::STOP,
        ];
        assert_eq!(all(&code), [0, 1, 5]);
        // Behind the end of the code there is a STOP.
        let code = [vec![op::STOP; 63], vec![op::CREATE2]].concat();
        assert_eq!(all(&code), [0, 64]);
    }

    #[test]
    fn a_block_warms_up_and_settles() {
        let mut leaders = Leaders::new(&[opcode::JUMPDEST]);
        assert_eq!(leaders.reach(0, Translation::Warming), Reached::New);
        leaders.enter(0, 7);
        for _ in 1..WARM {
            let reached = leaders.reach(0, Translation::Warming);
            assert_eq!(reached, Reached::Provisional(7));
        }
        let due = leaders.reach(0, Translation::Warming);
        assert_eq!(due, Reached::Due(Effort::Thorough));
        leaders.settle(0, 9);
        assert_eq!(leaders.reach(0, Translation::Warming), Reached::Settled(9));
    }
}
