//! Prepared code, kept from one run to the next.

use alloy_primitives::{
    B256, Bytes,
    map::{B256Map, HashMap},
};

use crate::code::{Granularity, Program};

/// Code kept in all, bytes, each with [`OVERHEAD_BYTES`]. Prepared, it takes a small multiple of that.
const MAX_CODE_BYTES: usize = 16 << 20;

/// Init code kept, bytes, counted alike. Most of it runs once; factories use theirs again.
const MAX_INIT_CODE_BYTES: usize = 1 << 20;

/// What the program of the shortest code takes: a chain may hold very many short contracts.
const OVERHEAD_BYTES: usize = 2 << 10;

/// A cache of programs, in which a number names one as long as a transaction runs.
#[derive(Debug)]
pub(crate) struct Programs {
    granularity: Granularity,
    programs: Vec<Program>,
    by_hash: B256Map<usize>,
    code_bytes: usize,
    init: HashMap<Bytes, Box<Program>>,
    init_bytes: usize,
}

impl Programs {
    pub fn new(granularity: Granularity) -> Self {
        Self {
            granularity,
            programs: Vec::new(),
            by_hash: B256Map::default(),
            code_bytes: 0,
            init: HashMap::default(),
            init_bytes: 0,
        }
    }

    /// Between transactions: makes room if there is too much.
    pub fn trim(&mut self) {
        if self.code_bytes > MAX_CODE_BYTES {
            self.programs.clear();
            self.by_hash.clear();
            self.code_bytes = 0;
        }
    }

    /// The program of the code with this hash.
    pub fn find(&mut self, hash: B256, code: &Bytes) -> usize {
        if let Some(index) = self.by_hash.get(&hash) {
            return *index;
        }
        let index = self.programs.len();
        self.programs
            .push(Program::new(code.clone(), self.granularity));
        self.by_hash.insert(hash, index);
        self.code_bytes += code.len() + OVERHEAD_BYTES;
        index
    }

    /// The program of that number.
    #[inline]
    pub fn get(&mut self, index: usize) -> &mut Program {
        &mut self.programs[index]
    }

    /// Takes the program of init code, which nobody has hashed. It belongs to one frame until it is given back.
    pub fn take_init(&mut self, code: &[u8]) -> Box<Program> {
        match self.init.remove(code) {
            Some(program) => {
                self.init_bytes -= code.len() + OVERHEAD_BYTES;
                program
            }
            None => Box::new(Program::new(Bytes::copy_from_slice(code), self.granularity)),
        }
    }

    /// Keeps the program of init code for the next time.
    pub fn give_back(&mut self, program: Box<Program>) {
        let len = program.code.len() + OVERHEAD_BYTES;
        if self.init_bytes + len > MAX_INIT_CODE_BYTES {
            self.init.clear();
            self.init_bytes = 0;
        }
        if self.init.insert(program.code.clone(), program).is_none() {
            self.init_bytes += len;
        }
    }
}
