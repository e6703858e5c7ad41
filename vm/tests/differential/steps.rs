//! All that happens in a run, as the hooks of both machines tell it.

use alloy_primitives::{Address, Bytes, Log, U256};
use cairn_vm::trace::{Enter, Exited, FrameKind, Step, Tracer};
use revm::{
    Inspector,
    context::{ContextTr, CreateScheme},
    context_interface::JournalTr,
    interpreter::{
        CallInputs, CallOutcome, CallScheme, CreateInputs, CreateOutcome, Interpreter,
        InterpreterResult,
        interpreter::EthInterpreter,
        interpreter_types::{Jumps, MemoryTr, ReturnData},
    },
};

use crate::result::{Class, class};

/// Events that are looked at; a run that has more is long enough.
const MAX_EVENTS: usize = 100_000;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The machine before an instruction.
    Step {
        depth: usize,
        pc: u64,
        opcode: u8,
        gas: u64,
        height: usize,
        /// The upper items of the stack, mixed into one number.
        stack: u64,
        memory: usize,
        return_data: usize,
    },
    Enter {
        kind: FrameKind,
        from: Address,
        to: Option<Address>,
        value: U256,
        gas: u64,
        input: Bytes,
    },
    Exit {
        class: Class,
        gas_used: u64,
        output: Bytes,
    },
    Log(Log),
}

/// Writes down everything.
#[derive(Debug, Default)]
pub struct Recorder {
    pub events: Vec<Event>,
}

impl Recorder {
    fn push(&mut self, event: Event) {
        if self.events.len() < MAX_EVENTS {
            self.events.push(event);
        }
    }
}

/// Looks at no step, but makes the machine stop at each.
#[derive(Clone, Copy, Debug)]
pub struct Stepping;

impl Tracer for Stepping {
    const STEPS: bool = true;
}

/// So many items of the stack are compared: as deep as SWAP16 reaches.
const ITEMS: usize = 17;

fn mixed(stack: &[U256]) -> u64 {
    let limbs = stack
        .iter()
        .rev()
        .take(ITEMS)
        .flat_map(|item| *item.as_limbs());
    limbs.fold(0, |mixed: u64, limb| {
        (mixed.rotate_left(7) ^ limb).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

impl Tracer for Recorder {
    const STEPS: bool = true;

    fn step(&mut self, step: &Step<'_>) {
        self.push(Event::Step {
            depth: step.depth,
            pc: step.pc,
            opcode: step.opcode,
            gas: step.gas,
            height: step.stack.len(),
            stack: mixed(step.stack),
            memory: step.memory.len(),
            return_data: step.return_data.len(),
        });
    }

    fn enter(&mut self, enter: &Enter<'_>) {
        let &Enter {
            kind,
            from,
            to,
            value,
            gas,
            input,
            ..
        } = enter;
        // Where a new contract stands, revm tells only at the end.
        let to = (!kind.is_creation()).then_some(to);
        self.push(Event::Enter {
            kind,
            from,
            to,
            value,
            gas,
            input: Bytes::copy_from_slice(input),
        });
    }

    fn exit(&mut self, exit: &Exited<'_>) {
        let (class, output) = (class(exit.status), Bytes::copy_from_slice(exit.output));
        self.push(Event::Exit {
            class,
            gas_used: exit.gas_used,
            output,
        });
    }

    fn log(&mut self, log: &Log, _: usize) {
        self.push(Event::Log(log.clone()));
    }
}

fn exited(result: &InterpreterResult) -> Event {
    let class = match result.result {
        result if result.is_ok() => Class::Success,
        revm::interpreter::InstructionResult::Revert => Class::Revert,
        _ => Class::Halt,
    };
    // revm takes what an error consumes from the gas of the caller, and leaves it here.
    let gas_used = if result.result.is_halt() {
        result.gas.limit()
    } else {
        result.gas.total_gas_spent()
    };
    let output = if class == Class::Halt {
        Bytes::new()
    } else {
        result.output.clone()
    };
    Event::Exit {
        class,
        gas_used,
        output,
    }
}

impl<C: ContextTr> Inspector<C, EthInterpreter> for Recorder {
    fn step(&mut self, interpreter: &mut Interpreter<EthInterpreter>, context: &mut C) {
        self.push(Event::Step {
            depth: context.journal().depth(),
            pc: interpreter.bytecode.pc() as u64,
            opcode: interpreter.bytecode.opcode(),
            gas: interpreter.gas.remaining(),
            height: interpreter.stack.len(),
            stack: mixed(interpreter.stack.data()),
            memory: interpreter.memory.size(),
            return_data: interpreter.return_data.buffer().len(),
        });
    }

    fn log(&mut self, _: &mut C, log: Log) {
        self.push(Event::Log(log));
    }

    fn call(&mut self, context: &mut C, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let (kind, from) = match inputs.scheme {
            CallScheme::Call => (FrameKind::Call, inputs.caller),
            CallScheme::CallCode => (FrameKind::CallCode, inputs.caller),
            CallScheme::DelegateCall => (FrameKind::DelegateCall, inputs.target_address),
            CallScheme::StaticCall => (FrameKind::StaticCall, inputs.caller),
        };
        let input = inputs.input.bytes(context);
        let (to, value, gas) = (
            Some(inputs.bytecode_address),
            inputs.value.get(),
            inputs.gas_limit,
        );
        self.push(Event::Enter {
            kind,
            from,
            to,
            value,
            gas,
            input,
        });
        None
    }

    fn call_end(&mut self, _: &mut C, _: &CallInputs, outcome: &mut CallOutcome) {
        self.push(exited(&outcome.result));
    }

    fn create(&mut self, _: &mut C, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        let kind = match inputs.scheme() {
            CreateScheme::Create2 { .. } => FrameKind::Create2,
            _ => FrameKind::Create,
        };
        let (from, value, gas) = (inputs.caller(), inputs.value(), inputs.gas_limit());
        let input = inputs.init_code().clone();
        self.push(Event::Enter {
            kind,
            from,
            to: None,
            value,
            gas,
            input,
        });
        None
    }

    fn create_end(&mut self, _: &mut C, _: &CreateInputs, outcome: &mut CreateOutcome) {
        self.push(exited(&outcome.result));
    }
}
