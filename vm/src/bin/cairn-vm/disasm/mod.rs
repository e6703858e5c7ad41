//! The verb `disasm`: shows the instructions of code by basic block.

mod blocks;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use alloy_primitives::{U256, hex};
use cairn_vm::opcode;
use serde_json::{Value, json};

use crate::{Failure, cli::DisasmArguments};
use blocks::{Block, Instruction, Jump, blocks};

/// Prints the blocks of the code.
pub fn perform(arguments: &DisasmArguments, output: &mut impl Write) -> Result<(), Failure> {
    let code = arguments.code.read("the code")?;
    let blocks = blocks(&code);
    let origins = origins(&blocks);
    for block in &blocks {
        let from = origins
            .get(&U256::from(block.pc()))
            .map_or(&[][..], Vec::as_slice);
        match arguments.json {
            true => writeln!(output, "{}", json_block(block, from))?,
            false => text_block(block, from, output)?,
        }
    }
    Ok(())
}

/// From where each target is jumped to, as far as that is constant.
fn origins(blocks: &[Block<'_>]) -> BTreeMap<U256, Vec<usize>> {
    let mut origins = BTreeMap::<_, Vec<_>>::new();
    for instruction in blocks.iter().flat_map(|block| &block.instructions) {
        if let Some(Jump {
            target,
            is_valid: true,
        }) = instruction.jump
        {
            origins.entry(target).or_default().push(instruction.pc);
        }
    }
    origins
}

fn text_block(block: &Block<'_>, from: &[usize], output: &mut impl Write) -> io::Result<()> {
    let Block {
        gas, needs, grows, ..
    } = block;
    write!(
        output,
        "block {:#06x}: gas {gas}, needs {needs}, grows {grows}",
        block.pc()
    )?;
    if !from.is_empty() {
        let from: Vec<String> = from.iter().map(|pc| format!("{pc:#06x}")).collect();
        write!(output, ", from {}", from.join(" "))?;
    }
    writeln!(output)?;
    for instruction in &block.instructions {
        writeln!(output, "{}", text_instruction(instruction).trim_end())?;
    }
    Ok(())
}

fn text_instruction(instruction: &Instruction<'_>) -> String {
    let Instruction {
        pc,
        opcode,
        immediate,
        jump,
    } = instruction;
    let name = opcode::name(*opcode);
    let operand = match immediate {
        [] => String::new(),
        bytes => hex::encode_prefixed(bytes),
    };
    let comment = match jump {
        None => String::new(),
        Some(Jump {
            target,
            is_valid: true,
        }) => format!("-> {target:#06x}"),
        Some(Jump { target, .. }) => format!("-> {target:#06x}, no JUMPDEST"),
    };
    format!("  {pc:#06x}  {opcode:02x}  {name:<14} {operand}{comment}")
}

fn json_block(block: &Block<'_>, from: &[usize]) -> Value {
    let instructions: Vec<Value> = block.instructions.iter().map(json_instruction).collect();
    json!({
        "pc": block.pc(),
        "gas": block.gas,
        "needs": block.needs,
        "grows": block.grows,
        "from": from,
        "instructions": instructions,
    })
}

fn json_instruction(instruction: &Instruction<'_>) -> Value {
    let mut value = json!({
        "pc": instruction.pc,
        "op": instruction.opcode,
        "opName": opcode::name(instruction.opcode),
    });
    if !instruction.immediate.is_empty() {
        value["immediate"] = hex::encode_prefixed(instruction.immediate).into();
    }
    if let Some(jump) = instruction.jump {
        value["target"] = format!("{:#x}", jump.target).into();
        value["isJumpdest"] = jump.is_valid.into();
    }
    value
}
