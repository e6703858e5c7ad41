//! Gives every result a place, and writes the operations down.
//!
//! A place is a slot of the frame's stack array, relative to the height at the start of the block. A
//! result goes to where the stack will have it at the end of the block, if nothing that is still needed
//! lies there; else to a free slot above. What does not lie where it has to be at the end is moved.

use super::{
    ENTRY, Op, OpKind,
    block::{Block, End, Operation, Value},
    moves::{Moves, copy},
};

/// Behind every operation of the block.
const END: u32 = u32::MAX;

/// Who needs which slot until when.
pub(super) struct Placer {
    /// The slots' numbers start here: that of the lowest item the block names.
    lowest: u16,
    /// Until which operation (inclusive) each slot is needed, from `lowest` on; 0 if no longer.
    needed: Vec<u32>,
    results: Vec<Placed>,
    /// The first slot above the final stack.
    above: u16,
    /// Operands of the block's end that were copied, and to where.
    aside: Vec<(Value, u16)>,
}

/// A result.
#[derive(Clone, Copy, Default)]
struct Placed {
    /// Where it is.
    place: u16,
    /// Where the final stack wants it, if it does.
    home: Option<u16>,
    /// Until which operation it is needed; operations count from 1.
    last_use: u32,
}

impl Placer {
    pub fn new(block: &Block) -> Self {
        let lowest = ENTRY - block.need as u16;
        let mut placer = Self {
            lowest,
            needed: vec![0; block.need + block.stack.len().max(8)],
            results: vec![Placed::default(); block.operations.len()],
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
                self.results[usize::from(*index)].home.get_or_insert(slot);
            }
        }
    }

    fn need_until(&mut self, value: Value, until: u32) {
        match value {
            Value::Entry(depth) => {
                *self.slot(ENTRY - depth) = (*self.slot(ENTRY - depth)).max(until)
            }
            Value::Result(index) => {
                let last = &mut self.results[usize::from(index)].last_use;
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
            Value::Result(index) => self.results[usize::from(index)].place,
        }
    }

    /// Chooses the place of the result of operation `index`. An operand may be overwritten: it is read before.
    fn choose(&mut self, index: usize) -> u16 {
        let now = index as u32 + 1;
        let Placed { home, last_use, .. } = self.results[index];
        let until = last_use.max(now);
        if let Some(home) = home
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

    /// Writes the block down. `byte`: its first one.
    pub fn write(mut self, block: &Block, ops: &mut Vec<Op>, byte: Option<u8>) {
        ops.push(Op::block(
            block.pc,
            byte,
            block.gas,
            block.need,
            block.growth,
        ));
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
            self.results[index].place = op.dst;
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
