//! Prepared code, kept from one run to the next.

use alloy_primitives::{B256, Bytes, map::B256Map};

use crate::code::{Program, Translation};

/// Memory that prepared code may take before all of it is dropped, bytes. It is many times the size of the code where all
/// of that runs again and again, and not much more than it where little does.
const MAX_BYTES: usize = 128 << 20;

/// A cache of programs, in which a number names one as long as a transaction runs.
#[derive(Debug)]
pub(crate) struct Programs {
    translation: Translation,
    programs: Vec<Kept>,
    by_hash: B256Map<usize>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    program: Program,
    /// What it took when it was last looked at.
    bytes: usize,
}

impl Programs {
    pub fn new(translation: Translation) -> Self {
        Self {
            translation,
            programs: Vec::new(),
            by_hash: B256Map::default(),
            bytes: 0,
        }
    }

    /// Between transactions: makes room if there is too much.
    pub fn trim(&mut self) {
        if self.bytes > MAX_BYTES {
            self.programs.clear();
            self.by_hash.clear();
            self.bytes = 0;
        }
    }

    /// The number of the program of the code with this hash, which is about to run, and its first operation.
    pub fn start(&mut self, hash: B256, code: &Bytes) -> (usize, usize) {
        let index = self.find(hash, code);
        let kept = &mut self.programs[index];
        // It may have grown since it was run last.
        let bytes = kept.program.size_bytes();
        self.bytes += bytes - kept.bytes;
        kept.bytes = bytes;
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
