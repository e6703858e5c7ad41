//! Gives every result a place, and writes the operations down.
//!
//! A place is a slot of the frame's stack array, relative to the height at the start of the block. A
//! result goes to where the stack will have it at the end of the block, if nothing that is still needed
//! lies there; else to a free slot above. What does not lie where it has to be at the end is moved.

use super::{
    CONSTANT, ENTRY, Op, OpKind, Program, UNTRANSLATED,
    block::{Block, End, Follower, Operation, Value},
    moves::{Moves, copy},
};
use crate::opcode;

/// Behind every operation of the block.
const END: u32 = u32::MAX;

/// Height of the stack that nothing may pass.
const STACK_LIMIT: usize = 1024;

impl Program {
    /// Translates the block at `pc`. Returns its first operation.
    ///
    /// The block behind it waits until somebody gets there: a translation that nobody runs is one that no gas
    /// pays for, and init code is as long as its creator likes.
    pub(super) fn translate(&mut self, pc: usize) -> usize {
        let start = self.ops.len();
        if let Some(entry) = self.targets.entry(pc) {
            *entry = start as u32;
        }
        let block = Follower::follow(self, pc);
        Placer::new(&block).write(&block, &mut self.ops, self.code.get(pc).copied());
        if block.end.falls_through {
            let next = self.translated(block.next_pc);
            let go_on = next.map_or(go(OpKind::GoOn, block.next_pc), |next| {
                go(OpKind::Goto, next)
            });
            self.ops.push(go_on);
        }
        start
    }

    /// Translates the block at `pc`, which the operation `at` leads to, unless that was done by now. Returns its
    /// first operation.
    #[cold]
    pub fn go_on(&mut self, at: usize, pc: usize) -> usize {
        let start = match self.translated(pc) {
            Some(start) => start,
            None => {
                // Behind all others there is room for it right here.
                if at + 1 == self.ops.len() {
                    self.ops.pop();
                }
                self.translate(pc)
            }
        };
        if start != at {
            self.ops[at] = go(OpKind::Goto, start);
        }
        start
    }

    /// The first operation of the block at `pc`, if that is a jump's target and was translated.
    fn translated(&mut self, pc: usize) -> Option<usize> {
        let entry = *self.targets.entry(pc)?;
        (entry != UNTRANSLATED).then_some(entry as usize)
    }
}

fn go(code: OpKind, to: usize) -> Op {
    Op {
        code,
        dst: ENTRY,
        a: 0,
        b: 0,
        imm: to as u64,
    }
}

/// Who needs which slot until when.
struct Placer {
    /// The slots' numbers start here: that of the lowest item the block names.
    lowest: u16,
    /// Until which operation (inclusive) each slot is needed, from `lowest` on; 0 if no longer.
    needed: Vec<u32>,
    /// Where the results are.
    places: Vec<u16>,
    /// Until which operation each result is needed; operations count from 1.
    last_use: Vec<u32>,
    /// Where the final stack wants each result, if it does.
    home: Vec<Option<u16>>,
    /// The first slot above the final stack.
    above: u16,
    /// Operands of the block's end that were copied, and to where.
    aside: Vec<(Value, u16)>,
}

impl Placer {
    fn new(block: &Block) -> Self {
        let lowest = ENTRY - block.need as u16;
        let results = block.operations.len();
        let mut placer = Self {
            lowest,
            needed: vec![0; block.need + block.stack.len().max(8)],
            places: vec![0; results],
            last_use: vec![0; results],
            home: vec![None; results],
            above: (lowest + block.stack.len() as u16).max(ENTRY),
            aside: Vec::new(),
        };
        placer.note_uses(block);
        placer
    }

    fn note_uses(&mut self, block: &Block) {
        for (index, operation) in block.operations.iter().enumerate() {
            if !operation.is_dead() {
                for value in operation.operands.as_slice() {
                    self.need_until(*value, index as u32 + 1);
                }
            }
        }
        for value in block.end.operands.as_slice() {
            self.need_until(*value, END);
        }
        for (slot, value) in (self.lowest..).zip(&block.stack) {
            self.need_until(*value, END);
            if let Value::Result(index) = value {
                self.home[usize::from(*index)].get_or_insert(slot);
            }
        }
    }

    fn need_until(&mut self, value: Value, until: u32) {
        match value {
            Value::Entry(depth) => {
                *self.slot(ENTRY - depth) = (*self.slot(ENTRY - depth)).max(until)
            }
            Value::Result(index) => {
                let last = &mut self.last_use[usize::from(index)];
                *last = (*last).max(until);
            }
            Value::Constant(_) => {}
        }
    }

    /// Until when `slot` is needed.
    fn slot(&mut self, slot: u16) -> &mut u32 {
        let index = usize::from(slot - self.lowest);
        if index >= self.needed.len() {
            self.needed.resize(index + 8, 0);
        }
        &mut self.needed[index]
    }

    fn place(&self, value: Value) -> u16 {
        match value {
            Value::Entry(depth) => ENTRY - depth,
            Value::Constant(place) => place,
            Value::Result(index) => self.places[usize::from(index)],
        }
    }

    /// Chooses the place of the result of operation `index`. An operand may be overwritten: it is read before.
    fn choose(&mut self, index: usize) -> u16 {
        let now = index as u32 + 1;
        let until = self.last_use[index].max(now);
        if let Some(home) = self.home[index]
            && *self.slot(home) <= now
        {
            *self.slot(home) = until;
            return home;
        }
        let mut slot = self.above;
        while *self.slot(slot) > now {
            slot += 1;
        }
        *self.slot(slot) = until;
        slot
    }

    /// A slot above the stack that nobody needs at the end.
    fn spare(&mut self) -> u16 {
        let mut slot = self.above;
        while *self.slot(slot) == END {
            slot += 1;
        }
        *self.slot(slot) = END;
        slot
    }

    fn write(mut self, block: &Block, ops: &mut Vec<Op>, byte: Option<u8>) {
        ops.push(header(block, byte));
        for (index, operation) in block.operations.iter().enumerate() {
            if !operation.is_dead() {
                let op = self.operation(index, operation, block.gas);
                ops.push(op);
            }
        }
        if block.end.keeps_stack {
            self.moves(block, ops);
        }
        let end = self.end(block);
        let is_nothing = end.code == OpKind::Fall && end.dst == ENTRY;
        if !is_nothing {
            ops.push(end);
        }
    }

    fn operation(&mut self, index: usize, operation: &Operation, gas: u64) -> Op {
        let mut op = Op {
            code: operation.code,
            dst: 0,
            a: 0,
            b: 0,
            imm: operation.imm,
        };
        if matches!(op.code, OpKind::Gas | OpKind::SStore) {
            op.imm = gas - operation.imm;
        }
        self.operands(&mut op, operation.operands.as_slice());
        if operation.has_result {
            op.dst = self.choose(index);
            self.places[index] = op.dst;
        }
        op
    }

    fn operands(&self, op: &mut Op, operands: &[Value]) {
        let mut places = operands.iter().map(|value| self.place(*value));
        op.a = places.next().unwrap_or(0);
        op.b = places.next().unwrap_or(0);
        for (index, place) in places.enumerate() {
            op.imm |= u64::from(place) << (16 * index);
        }
    }

    /// Moves everything to where the stack has it.
    fn moves(&mut self, block: &Block, ops: &mut Vec<Op>) {
        let wanted = (self.lowest..).zip(&block.stack);
        let pending: Vec<(u16, u16)> = wanted
            .map(|(slot, value)| (slot, self.place(*value)))
            .filter(|(slot, from)| slot != from)
            .collect();
        if pending.is_empty() {
            return;
        }
        self.rescue(block, &pending, ops);
        let aside = self.spare();
        Moves::new(self.lowest, &pending).write(aside, ops);
    }

    /// Copies operands of the block's end that the moves would overwrite.
    fn rescue(&mut self, block: &Block, moves: &[(u16, u16)], ops: &mut Vec<Op>) {
        for value in block.end.operands.as_slice() {
            let place = self.place(*value);
            if moves.iter().any(|(slot, _)| *slot == place) {
                let aside = self.spare();
                ops.push(copy(aside, place));
                self.aside.push((*value, aside));
            }
        }
    }

    fn end(&self, block: &Block) -> Op {
        let End {
            code,
            ref operands,
            imm,
            ..
        } = block.end;
        let height = self.lowest + block.stack.len() as u16;
        let mut op = Op {
            code,
            dst: height,
            a: 0,
            b: 0,
            imm,
        };
        let mut places = operands.as_slice().iter().map(|value| {
            let aside = self.aside.iter().find(|(moved, _)| moved == value);
            aside.map_or_else(|| self.place(*value), |(_, place)| *place)
        });
        op.a = places.next().unwrap_or(0);
        op.b = places.next().unwrap_or(0);
        op
    }
}

fn header(block: &Block, byte: Option<u8>) -> Op {
    let room = STACK_LIMIT.checked_sub(block.need + block.growth);
    // Where there is no height at which the block runs, none is allowed.
    let (need, room) = room.map_or((STACK_LIMIT as u16 + 1, 0), |room| {
        (block.need as u16, room as u16)
    });
    Op {
        code: OpKind::Block,
        dst: u16::from(byte.unwrap_or(opcode::STOP)),
        a: need,
        b: room,
        imm: block.gas | (block.pc as u64) << 32,
    }
}

const _: () = assert!(STACK_LIMIT == ENTRY as usize && CONSTANT as usize > 2 * STACK_LIMIT);
