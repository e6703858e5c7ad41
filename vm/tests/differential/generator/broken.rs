//! What is wrong on purpose, within programs and by mutation of whole ones.

use alloy_primitives::U256;
use cairn_vm::opcode as op;

use super::{Builder, values};
use crate::rng::Rng;

impl Builder<'_> {
    /// Something that no compiler would write.
    pub(super) fn broken(&mut self) {
        match self.rng.below(8) {
            // Too few items, or too many.
            0 => {
                for _ in 0..self.rng.below(6) {
                    self.asm.byte(op::POP);
                }
            }
            1 => {
                for _ in 0..self.rng.pick(&[17, 200, 1_025]) {
                    self.asm.byte(op::ADDRESS);
                }
            }
            // Jumps to anywhere.
            2 | 3 => {
                let anywhere = match self.rng.below(3) {
                    0 => values::word(self.rng),
                    _ => U256::from(self.rng.below(self.asm.len() + 40)),
                };
                if self.rng.one_in(2) {
                    self.operand();
                    self.push(anywhere);
                    self.op(op::JUMPI);
                } else {
                    self.push(anywhere);
                    self.op(op::JUMP);
                }
            }
            4 => {
                let byte = self.rng.byte();
                self.asm.byte(byte);
            }
            5 => self.op(op::INVALID),
            // A target within data.
            6 => {
                self.push(U256::from(0x5b5b_5b5b_u32));
                let here = self.asm.len();
                self.push_small(here - 2);
                self.op(op::JUMP);
            }
            _ => {
                let junk = self.rng.below(5);
                let junk = self.rng.bytes(junk);
                self.asm.bytes(&junk);
            }
        }
    }
}

/// Changes a few bytes of a program.
pub fn mutate(rng: &mut Rng, code: &mut Vec<u8>) {
    for _ in 0..rng.between(1, 4) {
        if code.is_empty() {
            return code.push(rng.byte());
        }
        let at = rng.below(code.len());
        match rng.below(6) {
            0 => code[at] = rng.byte(),
            1 => code[at] ^= 1 << rng.below(8),
            2 => code[at] = instruction(rng),
            3 => {
                code.remove(at);
            }
            4 => code.insert(at, instruction(rng)),
            _ => {
                let end = (at + rng.below(40)).min(code.len());
                let piece = code[at..end].to_vec();
                let to = rng.below(code.len());
                code.splice(to..to, piece);
            }
        }
    }
    code.truncate(24_576);
}

/// Bytes without a plan.
pub fn noise(rng: &mut Rng) -> Vec<u8> {
    let len = rng.below(200);
    let defined = rng.one_in(2);
    (0..len)
        .map(|_| {
            if defined {
                instruction(rng)
            } else {
                rng.byte()
            }
        })
        .collect()
}

/// The byte of some instruction.
fn instruction(rng: &mut Rng) -> u8 {
    loop {
        let byte = rng.byte();
        if op::info(byte).is_some() {
            return byte;
        }
    }
}
