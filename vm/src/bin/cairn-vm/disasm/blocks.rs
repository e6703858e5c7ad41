//! Instructions and basic blocks, read from bytes and the table of opcodes alone.

use alloy_primitives::U256;
use cairn_vm::opcode::{self, info};

/// An instruction in code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction<'a> {
    pub pc: usize,
    pub opcode: u8,
    /// What the code has of its immediate: less than it should be at the end of the code.
    pub immediate: &'a [u8],
    /// Where a jump leads that follows its PUSH.
    pub jump: Option<Jump>,
}

/// A jump whose target is a constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    pub target: U256,
    /// Whether there is a JUMPDEST.
    pub is_valid: bool,
}

/// What is charged and checked at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block<'a> {
    pub instructions: Vec<Instruction<'a>>,
    /// Static gas: what depends on operands, warmth or memory comes on top.
    pub gas: u64,
    /// Items that must be on the stack.
    pub needs: usize,
    /// How much higher than at its start the stack may become.
    pub grows: usize,
    /// Height at its end, relative to its start.
    height: isize,
}

impl Block<'_> {
    /// Where it starts.
    pub fn pc(&self) -> usize {
        self.instructions.first().map_or(0, |first| first.pc)
    }
}

/// Splits code into basic blocks.
pub fn blocks(code: &[u8]) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut block = Block::default();
    for instruction in instructions(code) {
        if instruction.opcode == opcode::JUMPDEST && !block.instructions.is_empty() {
            blocks.push(std::mem::take(&mut block));
        }
        let ends = ends_block(instruction.opcode);
        block.push(instruction);
        if ends {
            blocks.push(std::mem::take(&mut block));
        }
    }
    if !block.instructions.is_empty() {
        blocks.push(block);
    }
    blocks
}

/// Whether the machine has to charge anew after this instruction, or never gets there.
fn ends_block(byte: u8) -> bool {
    use opcode as op;
    let is_defined = info(byte).is_some();
    !is_defined
        || matches!(
            byte,
            op::STOP
                | op::JUMP
                | op::JUMPI
                | op::RETURN
                | op::REVERT
                | op::INVALID
                | op::SELFDESTRUCT
                | op::CALL
                | op::CALLCODE
                | op::DELEGATECALL
                | op::STATICCALL
                | op::CREATE
                | op::CREATE2
        )
}

impl<'a> Block<'a> {
    fn push(&mut self, instruction: Instruction<'a>) {
        if let Some(info) = info(instruction.opcode) {
            let (inputs, outputs) = (isize::from(info.inputs), isize::from(info.outputs));
            self.gas += u64::from(info.gas);
            self.needs = self.needs.max((inputs - self.height).max(0).unsigned_abs());
            self.height += outputs - inputs;
            self.grows = self.grows.max(self.height.max(0).unsigned_abs());
        }
        self.instructions.push(instruction);
    }
}

fn instructions(code: &[u8]) -> Vec<Instruction<'_>> {
    let mut instructions: Vec<Instruction<'_>> = Vec::new();
    let mut pc = 0;
    while let Some(&opcode) = code.get(pc) {
        let len = info(opcode).map_or(0, |info| usize::from(info.immediate));
        let end = (pc + 1 + len).min(code.len());
        instructions.push(Instruction {
            pc,
            opcode,
            immediate: &code[pc + 1..end],
            jump: None,
        });
        pc = end;
    }
    resolve(&mut instructions);
    instructions
}

/// Says of jumps right behind a PUSH where they lead.
fn resolve(instructions: &mut [Instruction<'_>]) {
    for index in 1..instructions.len() {
        let pushed = match &instructions[index - 1] {
            push if (opcode::PUSH0..=opcode::PUSH32).contains(&push.opcode) => push.immediate,
            _ => continue,
        };
        if matches!(instructions[index].opcode, opcode::JUMP | opcode::JUMPI) {
            let target = U256::try_from_be_slice(pushed).unwrap_or_default();
            let is_valid = is_target(instructions, target);
            instructions[index].jump = Some(Jump { target, is_valid });
        }
    }
}

fn is_target(instructions: &[Instruction<'_>], target: U256) -> bool {
    let pc = usize::try_from(target).ok();
    let found = pc.and_then(|pc| instructions.binary_search_by_key(&pc, |at| at.pc).ok());
    found.is_some_and(|index| instructions[index].opcode == opcode::JUMPDEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    fn shape(code: &[u8]) -> Vec<(usize, u64, usize, usize)> {
        blocks(code)
            .iter()
            .map(|block| (block.pc(), block.gas, block.needs, block.grows))
            .collect()
    }

    #[test]
    fn blocks_end_with_jumps_calls_and_ends_and_before_jump_targets() {
        // PUSH1 6 JUMPI CALL ADD JUMPDEST STOP INVALID 0x0c POP
        let code = hex!("600657f1015b00fe0c50");
        let expected = [
            (0, 13, 1, 1),
            (3, 100, 7, 0),
            (4, 3, 2, 0),
            (5, 1, 0, 0),
            (7, 0, 0, 0),
            (8, 0, 0, 0),
            (9, 2, 1, 0),
        ];
        assert_eq!(shape(&code), expected);
    }

    #[test]
    fn need_counts_from_the_start_of_the_block() {
        // PUSH0 DUP3 SWAP4: SWAP4 looks at the fifth item, two of which the block put there.
        assert_eq!(shape(&hex!("5f8293")), [(0, 8, 3, 2)]);
        assert_eq!(shape(&hex!("5050505f5f5f5f")), [(0, 14, 3, 1)]);
    }

    #[test]
    fn jumps_lead_to_jumpdests_only() {
        // PUSH1 5 JUMP PUSH1 0x5b JUMPDEST PUSH0 JUMP: the byte at 4 is an operand.
        let code = hex!("600556605b5b5f56");
        let jumps: Vec<_> = instructions(&code)
            .into_iter()
            .filter_map(|at| at.jump)
            .collect();
        let to = |target, is_valid| Jump {
            target: U256::from(target),
            is_valid,
        };
        assert_eq!(jumps, [to(5, true), to(0, false)]);
        let operand = hex!("600456605b");
        assert_eq!(instructions(&operand)[1].jump, Some(to(4, false)));
    }

    #[test]
    fn an_immediate_may_be_cut_off() {
        let code = hex!("615b");
        assert_eq!(instructions(&code)[0].immediate, [0x5b]);
        assert_eq!(blocks(&[]), []);
    }
}
