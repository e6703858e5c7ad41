//! Programs of init code, which has no hash by which it is known.

use std::hash::BuildHasher;

use alloy_primitives::{
    Bytes,
    map::{HashMap, HashSet},
};

use crate::code::{Program, Translation};

/// Memory that programs take which are kept, bytes.
const MAX_KEPT_BYTES: usize = 16 << 20;

/// Init code remembered that ran once.
const MAX_SEEN: usize = 4096;

/// Allocations kept for the next init code.
const MAX_SPARE: usize = 2;

/// Most init code runs once, so what is kept of it is the allocation; factories use theirs again, so what comes a second
/// time is kept as it is.
#[derive(Debug)]
pub(crate) struct InitCode {
    translation: Translation,
    kept: HashMap<u64, Box<Program>>,
    kept_bytes: usize,
    seen: HashSet<u64>,
    spare: Vec<Program>,
}

impl InitCode {
    pub fn new(translation: Translation) -> Self {
        Self {
            translation,
            kept: HashMap::default(),
            kept_bytes: 0,
            seen: HashSet::default(),
            spare: Vec::new(),
        }
    }

    /// Takes the program of this code. It belongs to one frame until it is given back.
    pub fn take(&mut self, code: &[u8]) -> Box<Program> {
        if let Some(program) = self.kept.remove(&self.hash(code)) {
            self.kept_bytes -= program.size_bytes();
            if *program.code == *code {
                return program;
            }
        }
        let code = Bytes::copy_from_slice(code);
        Box::new(match self.spare.pop() {
            Some(mut program) => {
                program.replace(code);
                program
            }
            None => Program::new(code, self.translation),
        })
    }

    /// Keeps the program for the next time, if there seems to be one.
    pub fn give_back(&mut self, program: Box<Program>) {
        let hash = self.hash(&program.code);
        if self.seen.len() >= MAX_SEEN {
            self.seen.clear();
        }
        if self.seen.insert(hash) {
            if self.spare.len() < MAX_SPARE {
                self.spare.push(*program);
            }
            return;
        }
        if self.kept_bytes + program.size_bytes() > MAX_KEPT_BYTES {
            self.kept.clear();
            self.kept_bytes = 0;
        }
        self.kept_bytes += program.size_bytes();
        if let Some(replaced) = self.kept.insert(hash, program) {
            self.kept_bytes -= replaced.size_bytes();
        }
    }

    /// Drops what is kept if it takes more than `most_bytes`.
    pub fn trim(&mut self, most_bytes: usize) {
        if self.kept_bytes > most_bytes {
            self.kept = HashMap::default();
            self.kept_bytes = 0;
        }
    }

    fn hash(&self, code: &[u8]) -> u64 {
        self.kept.hasher().hash_one(code)
    }
}
