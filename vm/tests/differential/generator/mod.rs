//! Makes programs from random numbers: valid and deep rather than noise.
//!
//! A program is a list of statements, each of which knows the height of the stack before and behind it, so
//! that most programs run to their end. What they compute is kept where it shows: at their end they
//! write their stack into memory and return it. A few break a rule on purpose.
//!
//! - [`assembler`]: bytes, labels, data; [`values`]: operands at the edges;
//! - [`plain`]: arithmetic, stack, memory, storage, logs;
//! - [`flow`]: conditions, loops, functions, computed jumps;
//! - [`calls`] and [`creation`]: other contracts, and new ones;
//! - [`broken`]: what is wrong, and mutations.

mod assembler;
mod broken;
mod calls;
mod creation;
mod flow;
mod plain;
pub mod values;

use alloy_primitives::U256;
use cairn_vm::opcode as op;

use crate::rng::Rng;
use assembler::{Assembler, Label};
pub use broken::{mutate, noise};

/// What a statement is about.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Operand,
    Arithmetic,
    Expression,
    Environment,
    Shuffle,
    Memory,
    Copy,
    Keccak,
    Storage,
    Transient,
    Log,
    Account,
    If,
    IfElse,
    Loop,
    Hop,
    Function,
    Call,
    Precompile,
    Create,
    Long,
    Broken,
}

/// How common each kind is before a program makes its own choice.
const KINDS: [(Kind, u32); 22] = [
    (Kind::Operand, 8),
    (Kind::Arithmetic, 14),
    (Kind::Expression, 6),
    (Kind::Environment, 8),
    (Kind::Shuffle, 14),
    (Kind::Memory, 10),
    (Kind::Copy, 5),
    (Kind::Keccak, 4),
    (Kind::Storage, 9),
    (Kind::Transient, 4),
    (Kind::Log, 2),
    (Kind::Account, 4),
    (Kind::If, 9),
    (Kind::IfElse, 6),
    (Kind::Loop, 5),
    (Kind::Hop, 6),
    (Kind::Function, 6),
    (Kind::Call, 8),
    (Kind::Precompile, 2),
    (Kind::Create, 3),
    (Kind::Long, 0),
    (Kind::Broken, 0),
];

/// An internal function, as compilers make them: it finds the place to return to below its arguments.
#[derive(Clone, Copy, Debug)]
struct Function {
    label: Label,
    arguments: usize,
    results: usize,
}

/// What the code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It stands at an address; of the contracts it is the n-th.
    Runtime(usize),
    /// It returns the code of a new contract.
    Init,
}

/// A program in the making.
struct Builder<'a> {
    rng: &'a mut Rng,
    asm: Assembler,
    purpose: Purpose,
    /// Creations within creations.
    inner: usize,
    weights: [u32; KINDS.len()],
    functions: Vec<Function>,
    /// The first function that may be called: those before it are its callers.
    callable: usize,
    /// Height of the stack, from the start of the code or function.
    height: usize,
    /// Items below are not to be popped.
    floor: usize,
    /// From here on statements prefer to pop.
    ceiling: usize,
    /// Positions that are not to be moved.
    reserved: Vec<usize>,
    /// Statements that are left.
    budget: usize,
    nesting: usize,
}

/// A program of up to about `budget` statements.
pub fn program(rng: &mut Rng, purpose: Purpose, budget: usize) -> Vec<u8> {
    nested(rng, purpose, budget, 0)
}

fn nested(rng: &mut Rng, purpose: Purpose, budget: usize, inner: usize) -> Vec<u8> {
    let weights = weights(rng);
    let mut builder = Builder {
        rng,
        asm: Assembler::default(),
        purpose,
        inner,
        weights,
        functions: Vec::new(),
        callable: 0,
        height: 0,
        floor: 0,
        ceiling: 24,
        reserved: Vec::new(),
        budget,
        nesting: 0,
    };
    builder.whole();
    builder.asm.finish()
}

/// Each program prefers some kinds and does without others, so that unusual mixtures come about.
fn weights(rng: &mut Rng) -> [u32; KINDS.len()] {
    let mut weights = KINDS.map(|(_, weight)| weight * rng.pick(&[0, 1, 2, 2, 3, 8]));
    weights[Kind::Operand as usize] += 1;
    if rng.one_in(30) {
        weights[Kind::Long as usize] = 2;
    }
    if rng.one_in(8) {
        weights[Kind::Broken as usize] = 2;
    }
    weights
}

impl Builder<'_> {
    fn whole(&mut self) {
        let functions = self.rng.pick(&[0, 0, 1, 2, 3]);
        for _ in 0..functions {
            let label = self.asm.label();
            let (arguments, results) = (self.rng.below(4), self.rng.below(4));
            self.functions.push(Function {
                label,
                arguments,
                results,
            });
        }
        if self.rng.one_in(100) {
            self.tower();
        }
        for _ in 0..self.rng.below(6) {
            self.operand();
        }
        while self.budget > 0 {
            self.statement();
        }
        self.end();
        for index in 0..functions {
            self.function(index);
        }
    }

    /// Raises the stack to near its limit.
    fn tower(&mut self) {
        let height = self.rng.between(980, 1_026) as usize;
        self.operand();
        while self.height < height {
            match self.rng.below(4) {
                0 => self.op(op::CALLVALUE),
                1 => {
                    let depth = self.height.min(16);
                    self.dup(depth);
                }
                _ => self.op(op::DUP1),
            }
        }
        self.ceiling = self.rng.between(980, 1_020) as usize;
    }

    fn statement(&mut self) {
        self.budget = self.budget.saturating_sub(1);
        while self.height > self.ceiling && self.height > self.floor {
            self.op(op::POP);
        }
        // Nothing that nests, where it nests deeply or the code is long already.
        let simple = self.nesting > 3 || self.asm.len() > 6_000;
        let kind = KINDS[self.rng.weighted(&self.weights)].0;
        match kind {
            Kind::Operand => self.operand(),
            Kind::Arithmetic => self.arithmetic(),
            Kind::Expression => self.expression(),
            Kind::Environment => self.environment(),
            Kind::Shuffle => self.shuffle(),
            Kind::Memory => self.memory(),
            Kind::Copy => self.copy(),
            Kind::Keccak => self.keccak(),
            Kind::Storage => self.storage(),
            Kind::Transient => self.transient(),
            Kind::Log => self.log(),
            Kind::Account => self.account(),
            _ if simple => self.operand(),
            Kind::If => self.if_then(),
            Kind::IfElse => self.if_else(),
            Kind::Loop => self.repeat(),
            Kind::Hop => self.hop(),
            Kind::Function => self.call_function(),
            Kind::Call => self.call(),
            Kind::Precompile => self.precompile(),
            Kind::Create => self.create(),
            Kind::Long => self.long(),
            Kind::Broken => self.broken(),
        }
    }

    /// Up to `most` statements in a row.
    fn statements(&mut self, most: usize) {
        self.nesting += 1;
        for _ in 0..self.rng.between(1, most as u64) {
            self.statement();
        }
        self.nesting -= 1;
    }

    fn op(&mut self, byte: u8) {
        self.asm.byte(byte);
        if let Some(info) = op::info(byte) {
            let rest = self.height.saturating_sub(usize::from(info.inputs));
            self.height = rest + usize::from(info.outputs);
        }
    }

    /// Pushes a number, mostly by the shortest PUSH.
    fn push(&mut self, value: U256) {
        let bytes = value.to_be_bytes::<32>();
        let shortest = value.byte_len();
        let len = if self.rng.one_in(16) {
            self.rng.between(shortest as u64, 32) as usize
        } else {
            shortest
        };
        self.op(op::PUSH0 + len as u8);
        self.asm.bytes(&bytes[32 - len..]);
    }

    fn push_small(&mut self, value: usize) {
        self.push(U256::from(value));
    }

    fn push_label(&mut self, label: Label) {
        self.op(op::PUSH2);
        self.asm.reference(label, 0);
    }

    /// Copies the `depth`-th item, from 1.
    fn dup(&mut self, depth: usize) {
        self.op(op::DUP1 + depth as u8 - 1);
    }

    /// One more item: a number, something from the environment, or a copy.
    fn operand(&mut self) {
        match self.rng.below(8) {
            0 => {
                let byte = self.any_environment();
                self.op(byte);
            }
            1 | 2 if self.height > 0 => {
                let depth = 1 + self.rng.below(self.height.min(16));
                self.dup(depth);
            }
            _ => {
                let value = values::word(self.rng);
                self.push(value);
            }
        }
    }

    /// Makes sure that there are `items` to take.
    fn fill(&mut self, items: usize) {
        while self.height < self.floor + items {
            self.operand();
        }
    }

    /// Makes the stack as high as `height`, so that paths can meet.
    fn settle(&mut self, height: usize) {
        while self.height > height {
            let foldable = self.height > height + 1 && !self.rng.one_in(3);
            self.op(if foldable { op::XOR } else { op::POP });
        }
        while self.height < height {
            self.operand();
        }
    }
}
