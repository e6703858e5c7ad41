//! The engine: runs frames within frames, without recursion.
//!
//! ```text
//! enter ──► interpreter ──┬── call, creation ──► enter a frame above it
//!             ▲           └── end ──► leave: settle, deploy, hand the output to the frame below
//!             └────────────────────────────────────────────────┘
//! ```
//!
//! Frames lie in a pool by depth and are reused, so that a call allocates nothing. `begin` is all that happens before
//! a frame runs, `run` the loop, and what it does when a frame ends.

mod begin;
mod run;

pub(crate) use begin::Create;

use alloy_primitives::Bytes;

use crate::{
    Halt, Journal, PrecompileFailure, Precompiles,
    code::{Program, Translation},
    frame::{Frame, FrameEnd},
    gas::{CODE_DEPOSIT_BYTE, MAX_CODE_LEN},
    hashes::Hashes,
    init_code::InitCode,
    interpreter::Env,
    journal::AccountId,
    memory::{MAX_KEPT_BYTES, Range},
    precompiles::Precompile,
    programs::Programs,
};

/// Marks a frame whose program is its own.
const OWN: usize = usize::MAX;

/// Frames kept between transactions; a deep recursion's are given back.
const MAX_KEPT_FRAMES: usize = 64;

/// Memory that prepared code may take between transactions, bytes.
const MAX_PROGRAM_BYTES: usize = 64 << 20;

/// What is reused from run to run.
#[derive(Debug)]
pub(crate) struct Engine {
    pub journal: Journal,
    precompiles: Precompiles,
    programs: Programs,
    init_code: InitCode,
    frames: Vec<Frame>,
    /// The programs of frames that run init code, by depth.
    own: Vec<Option<Box<Program>>>,
    return_data: Vec<u8>,
    hashes: Hashes,
}

impl Engine {
    pub fn new(precompiles: Precompiles, translation: Translation) -> Self {
        // EIP-2929: accessed_addresses is initialized to include "all precompiles".
        let journal = Journal::new(precompiles.addresses());
        Self {
            journal,
            precompiles,
            programs: Programs::new(translation),
            init_code: InitCode::new(translation),
            frames: Vec::new(),
            own: Vec::new(),
            return_data: Vec::new(),
            hashes: Hashes::new(),
        }
    }

    /// Makes ready for the next transaction.
    pub fn reset(&mut self) {
        self.journal.reset();
        self.programs.trim(MAX_PROGRAM_BYTES);
        self.frames.truncate(MAX_KEPT_FRAMES);
        for frame in &mut self.frames {
            frame.memory.reset();
        }
        self.own.clear();
        self.return_data.clear();
        self.return_data.shrink_to(MAX_KEPT_BYTES);
    }

    /// Drops prepared code if it takes more than `most_bytes`.
    pub fn trim(&mut self, most_bytes: usize) {
        self.programs.trim(most_bytes);
        self.init_code.trim(most_bytes);
    }

    /// What the outermost frame returned.
    pub fn output(&self) -> Bytes {
        Bytes::copy_from_slice(&self.return_data)
    }
}

/// One run: the engine, and what it runs in.
pub(crate) struct Run<'a, S: ?Sized, T> {
    pub engine: &'a mut Engine,
    pub state: &'a S,
    pub env: Env<'a>,
    /// Calldata or init code of the outermost frame.
    pub input: &'a [u8],
    pub tracer: &'a mut T,
}

/// What lies at `range` in the memory of the frame that made a call; in the transaction's input if there is none.
fn input<'a>(below: &'a [Frame], outermost: &'a [u8], range: Range) -> &'a [u8] {
    match below.last() {
        Some(caller) => caller.memory.get(range),
        None => &outermost[range.start..range.start + range.len],
    }
}

impl Engine {
    /// Makes sure that there is a frame above `depth`, with this input.
    fn make_frame(&mut self, depth: usize, input: Range) {
        if self.frames.len() <= depth {
            self.frames.push(Frame::new());
        }
        self.frames[depth].input = input;
    }

    /// The input of the frame above `depth`.
    fn input<'a>(&'a self, depth: usize, outermost: &'a [u8]) -> &'a [u8] {
        input(&self.frames[..depth], outermost, self.frames[depth].input)
    }

    /// Gas left in the frame at `depth`; 0 where there is none.
    fn caller_gas(&self, depth: usize) -> u64 {
        depth
            .checked_sub(1)
            .map_or(0, |below| self.frames[below].gas)
    }

    fn run_precompile(
        &mut self,
        precompile: Precompile,
        depth: usize,
        outermost: &[u8],
        gas: u64,
    ) -> FrameEnd {
        let done = match precompile.run(self.input(depth, outermost), gas) {
            Ok(done) => done,
            Err(PrecompileFailure::OutOfGas) => return FrameEnd::halt(Halt::OutOfGas),
            Err(PrecompileFailure::InvalidInput) => return FrameEnd::halt(Halt::PrecompileFailed),
        };
        match gas.checked_sub(done.gas_used) {
            Some(gas_left) => {
                self.return_data.extend_from_slice(&done.output);
                FrameEnd::success(gas_left)
            }
            None => FrameEnd::halt(Halt::OutOfGas),
        }
    }

    /// Turns the output of init code into the contract's code.
    fn deploy(&mut self, contract: AccountId, gas: u64) -> FrameEnd {
        let code = &self.return_data;
        let price = CODE_DEPOSIT_BYTE.saturating_mul(code.len() as u64);
        let failed = if code.len() > MAX_CODE_LEN {
            // EIP-170: "contract initialization will fail".
            Some(Halt::CodeTooLarge)
        } else if code.first() == Some(&0xef) {
            // EIP-3541: "contract creation will fail if the first byte is 0xEF".
            Some(Halt::CodeBeginsWithEf)
        } else {
            (price > gas).then_some(Halt::OutOfGas)
        };
        if let Some(halt) = failed {
            self.return_data.clear();
            return FrameEnd::halt(halt);
        }
        let code = Bytes::copy_from_slice(code);
        self.journal.set_code(contract, code);
        FrameEnd::success(gas - price)
    }
}
