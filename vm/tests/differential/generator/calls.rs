//! Statements that call: other contracts, oneself, accounts without code, precompiles.

use alloy_primitives::{U256, hex};
use cairn_vm::opcode as op;

use super::{Builder, Purpose, values};
use crate::{cast::CONTRACTS, rng::Rng};

/// Whom to call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Callee {
    Somebody,
    /// What lies at this position of the stack.
    Item(usize),
    Precompile(u16),
}

/// A signature that recovers, as ecrecover wants it.
const SIGNATURE: [u8; 128] = hex!(
    "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c"
    "000000000000000000000000000000000000000000000000000000000000001c"
    "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f"
    "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549"
);

impl Builder<'_> {
    pub(super) fn call(&mut self) {
        self.call_of(Callee::Somebody);
    }

    /// A call, and what one does with its result.
    pub(super) fn call_of(&mut self, callee: Callee) {
        self.len();
        self.offset();
        self.len();
        self.offset();
        self.finish_call(callee);
    }

    /// The operands above the two ranges, the call, and what one does with its result.
    fn finish_call(&mut self, callee: Callee) {
        let byte = self.rng.pick(&[
            op::CALL,
            op::CALL,
            op::CALL,
            op::DELEGATECALL,
            op::STATICCALL,
            op::CALLCODE,
            op::STATICCALL,
        ]);
        if matches!(byte, op::CALL | op::CALLCODE) {
            let wei = values::wei(self.rng);
            self.push(wei);
        }
        self.callee(callee);
        self.call_gas();
        self.op(byte);
        self.after_call();
    }

    fn callee(&mut self, callee: Callee) {
        match callee {
            Callee::Item(position) if self.height - position <= 16 => {
                self.dup(self.height - position)
            }
            Callee::Precompile(number) => self.push(U256::from(number)),
            _ => self.somebody(),
        }
    }

    /// Mostly contracts further on in the list, so that most calls come to an end.
    pub(super) fn somebody(&mut self) {
        let later = match self.purpose {
            Purpose::Runtime(index) => CONTRACTS.get(index + 1..).unwrap_or_default(),
            Purpose::Init => &CONTRACTS[1..],
        };
        match self.rng.below(24) {
            0 | 1 => self.op(op::ADDRESS),
            2 => self.op(op::CALLER),
            3 => {
                // Only the lower twenty bytes count.
                let address = values::of(values::address(self.rng));
                let junk: U256 = U256::from(self.rng.next()) << 160;
                self.push(address | junk);
            }
            4 => self.operand(),
            5..=9 => {
                let address = values::address(self.rng);
                self.push(values::of(address));
            }
            _ if later.is_empty() => {
                let address = values::address(self.rng);
                self.push(values::of(address));
            }
            _ => {
                let address = self.rng.pick(later);
                self.push(values::of(address));
            }
        }
    }

    fn call_gas(&mut self) {
        match self.rng.below(12) {
            0..=3 => self.op(op::GAS),
            4 => {
                self.push_small(2);
                self.op(op::GAS);
                self.op(op::DIV);
            }
            _ => {
                let gas = values::gas(self.rng);
                self.push(gas);
            }
        }
    }

    fn after_call(&mut self) {
        match self.rng.below(8) {
            0 | 1 => self.op(op::POP),
            2 => self.op(op::RETURNDATASIZE),
            3 => {
                self.op(op::RETURNDATASIZE);
                self.push_small(0);
                self.offset();
                self.op(op::RETURNDATACOPY);
            }
            4 => self.op(op::GAS),
            5 => {
                self.offset();
                self.op(op::MLOAD);
            }
            _ => {}
        }
    }

    /// A call to a precompile with input that it likes.
    pub(super) fn precompile(&mut self) {
        let (number, input) = plausible(self.rng);
        for (index, word) in input.chunks(32).enumerate() {
            let mut padded = [0; 32];
            padded[..word.len()].copy_from_slice(word);
            self.push(U256::from_be_bytes(padded));
            self.push_small(32 * index);
            self.op(op::MSTORE);
        }
        self.len();
        self.offset();
        let len = if self.rng.one_in(8) {
            self.rng.below(300)
        } else {
            input.len()
        };
        self.push_small(len);
        self.push_small(0);
        self.finish_call(Callee::Precompile(number));
    }
}

/// A precompile and an input for it. Those that take long are rare.
fn plausible(rng: &mut Rng) -> (u16, Vec<u8>) {
    match rng.below(32) {
        0 => (1, SIGNATURE.to_vec()),
        1..=5 => (2, bytes(rng)),
        6..=8 => (3, bytes(rng)),
        9..=17 => (4, bytes(rng)),
        18..=23 => (5, modexp(rng)),
        24..=26 => (6, points(rng, 128)),
        27 => (7, points(rng, 96)),
        28 => (8, Vec::new()),
        29 => (9, blake2f(rng)),
        _ => (
            rng.pick(&[
                0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x100, 0x101,
            ]),
            bytes(rng),
        ),
    }
}

fn bytes(rng: &mut Rng) -> Vec<u8> {
    let len = rng.pick(&[0, 1, 31, 32, 33, 64, 100]);
    rng.bytes(len)
}

/// EIP-198: three lengths, then base, exponent and modulus.
fn modexp(rng: &mut Rng) -> Vec<u8> {
    let lens: [usize; 3] = std::array::from_fn(|_| rng.pick(&[0, 1, 2, 32, 33]));
    let mut input: Vec<u8> = lens
        .iter()
        .flat_map(|len| U256::from(*len).to_be_bytes::<32>())
        .collect();
    input.extend(rng.bytes(lens.iter().sum()));
    input
}

/// Points of alt_bn128 that everybody knows: (1, 2) and the one at infinity.
fn points(rng: &mut Rng, len: usize) -> Vec<u8> {
    let mut input = vec![0; len];
    for start in [0, 64] {
        if start + 64 <= len && !rng.one_in(3) {
            input[start + 31] = 1;
            input[start + 63] = 2;
        }
    }
    input[len - 1] = input[len - 1].max(rng.below(2) as u8);
    input
}

/// EIP-152: few rounds, and a final flag.
fn blake2f(rng: &mut Rng) -> Vec<u8> {
    let mut input = rng.bytes(213);
    input[..4].copy_from_slice(&[0, 0, 0, rng.byte() % 16]);
    input[212] = rng.below(2) as u8;
    input
}
