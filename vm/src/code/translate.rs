//! Which translation is due where the program goes on.
//!
//! A translation that nobody runs is one that no gas pays for, and init code is as long as its creator likes. So each
//! block waits until somebody gets there, and until it is warm a plain translation has to do.

use alloy_primitives::U256;

use super::{
    Op, Program, Translation,
    block::{MAX_OPERATIONS, Next},
    follow::Follower,
    leaders::{Effort, Reached},
    place::Placer,
    plain::Plain,
};
use crate::opcode;

/// JUMPDESTs that one block takes at the most.
const MAX_ROW: usize = 64;

impl Program {
    /// The operation at which the code begins.
    pub fn start(&mut self) -> usize {
        self.reach(0, 0)
    }

    /// The operation at which the block of the JUMPDEST at `pc` starts; `None` if there is none.
    pub fn target(&mut self, pc: u64) -> Option<usize> {
        let pc = usize::try_from(pc).ok()?;
        let leader = self.target_index(pc)?;
        match self.leaders.settled(leader) {
            Some(op) => Some(op),
            None => Some(self.reach(leader, pc)),
        }
    }

    /// Where the jump to `pc` leads that the operation `at` makes.
    #[cold]
    pub fn resolve(&mut self, at: usize, pc: u64) -> usize {
        let op = self
            .target(pc)
            .expect("the translation checked that there is a JUMPDEST");
        let leader = self.leaders.index(pc as usize);
        if leader.is_some_and(|leader| self.leaders.settled(leader).is_some()) {
            self.ops[at].imm = op as u64;
        }
        op
    }

    /// Where the operation `at` leads, which goes on at `pc`.
    #[cold]
    pub fn go_on(&mut self, at: usize, pc: usize) -> usize {
        let effort = match self.leaders.index(pc) {
            // The middle of a block that was too long.
            None => self.ops[at].effort(),
            Some(leader) => match self.leaders.reach(leader, self.translation) {
                Reached::Provisional(op) => return op,
                Reached::New => return self.translate_for_now(leader, pc),
                Reached::Settled(op) => {
                    self.ops[at] = Op::goto(op);
                    return op;
                }
                Reached::Due(effort) => effort,
            },
        };
        // Behind all others there is room for it right here.
        if at + 1 == self.ops.len() {
            self.ops.pop();
        }
        let start = self.translate(pc, effort);
        if start != at {
            self.ops[at] = Op::goto(start);
        }
        start
    }

    /// Whether there is a JUMPDEST at `pc`.
    pub(super) fn is_target(&self, pc: U256) -> bool {
        usize::try_from(pc).is_ok_and(|pc| self.target_index(pc).is_some())
    }

    fn target_index(&self, pc: usize) -> Option<usize> {
        let leader = self.leaders.index(pc)?;
        (self.code.get(pc) == Some(&opcode::JUMPDEST)).then_some(leader)
    }

    /// JUMPDESTs from `pc` on that are a block together: all of a row but the last, which may have more behind it.
    pub(super) fn row(&self, pc: usize) -> usize {
        if self.translation == Translation::ByInstruction {
            return 0;
        }
        let all = self.code[pc.min(self.code.len())..]
            .iter()
            .take(MAX_ROW + 1);
        let count = all.take_while(|byte| **byte == opcode::JUMPDEST).count();
        count.saturating_sub(1)
    }

    #[cold]
    fn reach(&mut self, leader: usize, pc: usize) -> usize {
        match self.leaders.reach(leader, self.translation) {
            Reached::Settled(op) | Reached::Provisional(op) => op,
            Reached::New => self.translate_for_now(leader, pc),
            Reached::Due(effort) => self.translate(pc, effort),
        }
    }

    /// Translates the block of a leader, to be replaced once it is warm, and what is certain to follow, as far as that
    /// is not much. Returns its first operation.
    fn translate_for_now(&mut self, mut leader: usize, mut pc: usize) -> usize {
        let start = self.ops.len();
        loop {
            self.leaders.enter(leader, self.ops.len());
            let Some(next) = Plain::translate(self, pc) else {
                return start;
            };
            let is_long = self.ops.len() - start >= MAX_OPERATIONS;
            match self.leaders.index(next.pc) {
                Some(index) if next.is_certain && !is_long && self.leaders.is_cold(index) => {
                    (leader, pc) = (index, next.pc);
                }
                _ => {
                    self.ops.push(Op::go_on(next.pc, Effort::Plain));
                    return start;
                }
            }
        }
    }

    /// Translates the block at `pc` for good, and those that should follow it right here. Returns its first operation.
    fn translate(&mut self, mut pc: usize, effort: Effort) -> usize {
        let start = self.ops.len();
        loop {
            if let Some(leader) = self.leaders.index(pc) {
                self.leaders.settle(leader, self.ops.len());
            }
            let next = match effort {
                Effort::Plain => Plain::translate(self, pc),
                Effort::Thorough => self.translate_thoroughly(pc),
            };
            let Some(next) = next else {
                return start;
            };
            let leader = self.leaders.index(next.pc);
            if let Some(op) = leader.and_then(|leader| self.leaders.settled(leader)) {
                self.ops.push(Op::goto(op));
                return start;
            }
            let is_due = leader.is_some_and(|leader| self.leaders.is_due_after(leader, next));
            if !is_due {
                self.ops.push(Op::go_on(next.pc, effort));
                return start;
            }
            pc = next.pc;
        }
    }

    fn translate_thoroughly(&mut self, pc: usize) -> Option<Next> {
        let block = Follower::follow(self, pc);
        Placer::new(&block).write(&block, &mut self.ops, self.code.get(pc).copied());
        block.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{OpKind, Translation::*};

    #[test]
    fn what_nobody_reaches_is_not_translated() {
        // A jump over 24,000 blocks.
        let mut code = vec![opcode::PUSH0, opcode::PUSH2, 0xbf, 0xff, opcode::JUMPI];
        while code.len() < 49_151 {
            code.extend([opcode::JUMPDEST, opcode::PC]);
        }
        code.push(opcode::JUMPDEST);
        for translation in [Warming, Thorough, ByInstruction] {
            let mut program = Program::new(code.clone().into(), translation);
            assert!(program.ops.is_empty());
            program.start();
            assert!((2..=2 * MAX_OPERATIONS).contains(&program.ops.len()));
            assert!(program.target(49_151).is_some());
            assert!(program.ops.len() <= 2 * MAX_OPERATIONS);
        }
    }

    #[test]
    fn what_is_reached_later_follows_where_there_is_room() {
        let code = [
            opcode::JUMPDEST,
            opcode::PC,
            opcode::JUMPDEST,
            opcode::PC,
            opcode::JUMPDEST,
            opcode::STOP,
        ];
        let mut program = Program::new(code.to_vec().into(), Thorough);
        let first = program.start();
        let link = program.ops.len() - 1;
        assert_eq!((first, program.ops[link].code), (0, OpKind::GoOn));
        assert_eq!(program.go_on(link, 2), link);
        // The third block is reached by a jump first: the second one has to lead there.
        let link = program.ops.len() - 1;
        let third = program.target(4).expect("a JUMPDEST");
        assert_eq!(program.go_on(link, 4), third);
        assert_eq!(program.ops[link], Op::goto(third));
    }

    #[test]
    fn a_warm_block_is_translated_once_more() {
        let code = [opcode::JUMPDEST, opcode::PUSH0, opcode::JUMP];
        let mut program = Program::new(code.to_vec().into(), Warming);
        let plain = program.start();
        let mut at = plain;
        for _ in 0..100 {
            at = program.target(0).expect("a JUMPDEST");
        }
        assert_ne!(at, plain);
        assert_eq!(program.ops[at + 1].code, OpKind::JumpTo);
        assert_eq!(program.resolve(at + 1, 0), at);
        assert_eq!(program.ops[at + 1].imm, at as u64);
    }

    #[test]
    fn a_row_of_jumpdests_is_one_block() {
        for (len, row) in [(1, 0), (2, 1), (64, 63), (65, 64), (1_000, 64)] {
            let program = Program::new(vec![opcode::JUMPDEST; len].into(), Warming);
            assert_eq!(program.row(0), row, "{len}");
        }
    }
}
