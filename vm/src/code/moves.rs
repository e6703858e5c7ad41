//! In which order values move to where the stack has them at the end of a block, so that none is lost.

use super::{Op, OpKind};

/// Moves that are still to be made. A slot may be overwritten once nobody reads it any more; where all are read, the
/// rest are rings.
pub(super) struct Moves {
    /// The slots' numbers start here.
    lowest: u16,
    /// Where each slot's value comes from, from `lowest` on.
    from: Vec<Option<u16>>,
    /// How many moves read each slot.
    readers: Vec<u16>,
}

impl Moves {
    /// Moves of (slot, place) in ascending order of slots, none of which is below `lowest`.
    pub fn new(lowest: u16, moves: &[(u16, u16)]) -> Self {
        let slots = moves
            .last()
            .map_or(0, |(slot, _)| usize::from(slot - lowest) + 1);
        let mut all = Self {
            lowest,
            from: vec![None; slots],
            readers: vec![0; slots],
        };
        for (slot, from) in moves {
            all.from[usize::from(slot - lowest)] = Some(*from);
            if let Some(index) = all.index(*from) {
                all.readers[index] += 1;
            }
        }
        all
    }

    /// The index of a place, if it is a slot that a move may write.
    fn index(&self, place: u16) -> Option<usize> {
        let index = usize::from(place.checked_sub(self.lowest)?);
        (index < self.from.len()).then_some(index)
    }

    /// Writes them down. `aside` is a slot that nobody needs.
    pub fn write(mut self, aside: u16, ops: &mut Vec<Op>) {
        for index in 0..self.from.len() {
            if self.readers[index] == 0 {
                self.follow(index, ops);
            }
        }
        for index in 0..self.from.len() {
            if self.from[index].is_some() {
                self.ring(index, aside, ops);
            }
        }
    }

    /// Fills a slot that nobody reads, then the one that was read for that, and so on.
    fn follow(&mut self, mut index: usize, ops: &mut Vec<Op>) {
        while let Some(from) = self.from[index].take() {
            ops.push(copy(self.lowest + index as u16, from));
            let Some(read) = self.index(from) else {
                return;
            };
            self.readers[read] -= 1;
            if self.readers[read] > 0 {
                return;
            }
            index = read;
        }
    }

    /// Turns a ring: the value of one slot steps aside.
    fn ring(&mut self, first: usize, aside: u16, ops: &mut Vec<Op>) {
        let slot = self.lowest + first as u16;
        ops.push(copy(aside, slot));
        let mut index = first;
        while let Some(from) = self.from[index].take() {
            let is_last = from == slot;
            ops.push(copy(
                self.lowest + index as u16,
                if is_last { aside } else { from },
            ));
            if is_last {
                return;
            }
            index = usize::from(from - self.lowest);
        }
    }
}

/// The operation that moves a value.
pub(super) fn copy(dst: u16, a: u16) -> Op {
    Op {
        code: OpKind::Move,
        dst,
        a,
        b: 0,
        imm: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the slots 10 to 19 hold after the moves, if each held its number, and 30 is free.
    fn moved(moves: &[(u16, u16)]) -> Vec<u16> {
        let mut ops = Vec::new();
        Moves::new(10, moves).write(30, &mut ops);
        let mut slots: Vec<u16> = (0..=100).collect();
        for op in &ops {
            slots[usize::from(op.dst)] = slots[usize::from(op.a)];
        }
        slots[10..20].to_vec()
    }

    #[test]
    fn every_slot_gets_its_value() {
        let cases: [&[(u16, u16)]; 7] = [
            &[],
            &[(10, 40)],
            &[(10, 11), (11, 12), (12, 40)],
            &[(10, 12), (11, 12), (12, 11)],
            &[(10, 11), (11, 10)],
            &[(10, 11), (11, 12), (12, 10), (13, 14), (14, 13), (15, 14)],
            &[(10, 19), (13, 10), (14, 10), (19, 13)],
        ];
        for moves in cases {
            let mut expected: Vec<u16> = (10..20).collect();
            for (slot, from) in moves {
                expected[usize::from(slot - 10)] = *from;
            }
            assert_eq!(moved(moves), expected, "{moves:?}");
        }
    }

    #[test]
    fn a_ring_takes_one_move_more_than_it_has_slots() {
        let mut ops = Vec::new();
        Moves::new(10, &[(10, 11), (11, 12), (12, 10)]).write(30, &mut ops);
        assert_eq!(ops.len(), 4);
    }
}
