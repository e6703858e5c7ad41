//! Prepared code, kept from one run to the next.

use alloy_primitives::{B256, Bytes, map::B256Map};

use crate::code::{Program, Translation};

/// A cache of programs, in which a number names one as long as a transaction runs.
#[derive(Debug)]
pub(crate) struct Programs {
    translation: Translation,
    programs: Vec<Kept>,
    by_hash: B256Map<usize>,
    bytes: usize,
    /// Those that ran since they were measured: a program grows where it runs.
    started: Vec<usize>,
}

#[derive(Debug)]
struct Kept {
    program: Program,
    /// What it took when it was measured.
    bytes: usize,
    started: bool,
}

impl Programs {
    pub fn new(translation: Translation) -> Self {
        Self {
            translation,
            programs: Vec::new(),
            by_hash: B256Map::default(),
            bytes: 0,
            started: Vec::new(),
        }
    }

    /// Between transactions: drops all programs if they take more than `most_bytes`. That is many times the size of the
    /// code where all of it runs again and again, and not much more than it where little does.
    pub fn trim(&mut self, most_bytes: usize) {
        for index in self.started.drain(..) {
            let kept = &mut self.programs[index];
            let bytes = kept.program.size_bytes();
            self.bytes += bytes - kept.bytes;
            kept.bytes = bytes;
            kept.started = false;
        }
        if self.bytes > most_bytes {
            *self = Self::new(self.translation);
        }
    }

    /// The number of the program of the code with this hash, which is about to run, and its first operation.
    pub fn start(&mut self, hash: B256, code: &Bytes) -> (usize, usize) {
        let index = self.find(hash, code);
        let kept = &mut self.programs[index];
        if !kept.started {
            kept.started = true;
            self.started.push(index);
        }
        (index, kept.program.start())
    }

    fn find(&mut self, hash: B256, code: &Bytes) -> usize {
        if let Some(index) = self.by_hash.get(&hash) {
            return *index;
        }
        let index = self.programs.len();
        self.programs.push(Kept {
            program: Program::new(code.clone(), self.translation),
            bytes: 0,
            started: false,
        });
        self.by_hash.insert(hash, index);
        index
    }

    /// The program of that number.
    #[inline]
    pub fn get(&mut self, index: usize) -> &mut Program {
        &mut self.programs[index].program
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_grows_while_it_runs_counts_without_a_second_run() {
        let code = Bytes::from(vec![crate::opcode::JUMPDEST; 1 << 16]);
        let mut programs = Programs::new(Translation::Thorough);
        let (index, _) = programs.start(B256::ZERO, &code);
        for pc in 0..code.len() {
            programs.get(index).target(pc as u64);
        }
        let grown = programs.get(index).size_bytes();
        assert!(grown > 16 * code.len());
        programs.trim(grown);
        assert_eq!((programs.bytes, programs.programs.len()), (grown, 1));
        programs.trim(grown - 1);
        assert_eq!((programs.bytes, programs.programs.len()), (0, 0));
        assert!(programs.by_hash.is_empty());
    }
}
