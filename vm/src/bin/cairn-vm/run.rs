//! The verb `run`: one piece of code in an otherwise empty state.

use std::io::{self, Write};

use alloy_primitives::{Address, Bytes, Log, TxKind, address};
use cairn_vm::{
    BlockEnv, CallRequest, Diff, IntrinsicGas, Machine, Outcome, Precompiles, TransactError,
    trace::{Enter, Exited, NoTracer, Step, Tracer},
};
use serde_json::{Map, Value, json};

use crate::{
    Failure,
    cli::RunArguments,
    eip3155::Eip3155,
    statetest::status,
    world::{Account, World},
};

/// Where the code stands.
const CONTRACT: Address = address!("0x000000000000000000000000000000000000c0de");
/// Who calls it.
const CALLER: Address = address!("0x000000000000000000000000000000000000ca11");

/// Runs the code and prints what it did.
pub fn perform(arguments: &RunArguments, output: &mut impl Write) -> Result<(), Failure> {
    let (code, input) = arguments.bytes()?;
    let result = if arguments.trace {
        let mut tracer = Eip3155::new(&mut *output);
        let result = run(code, input, arguments.gas, &mut tracer)?;
        tracer.finish()?;
        result
    } else {
        run(code, input, arguments.gas, &mut NoTracer)?
    };
    match arguments.json {
        true => writeln!(output, "{}", json(&result))?,
        false => text(&result, arguments.gas, output)?,
    }
    Ok(())
}

/// What a run did.
struct Ran {
    outcome: Outcome,
    /// Gas that the code itself used.
    gas_used: u64,
}

fn run<T: Tracer>(code: Bytes, input: Bytes, gas: u64, tracer: &mut T) -> Result<Ran, Failure> {
    let world = World::from_iter([(
        CONTRACT,
        Account {
            nonce: 1,
            code,
            ..Account::default()
        },
    )]);
    let block = BlockEnv {
        number: 1,
        timestamp: 1,
        gas_limit: gas,
        blob_base_fee: 1,
        chain_id: 31_337,
        ..BlockEnv::default()
    };
    let to = TxKind::Call(CONTRACT);
    // A call is charged for its bytes as a transaction is. That must not change what the code may use.
    let intrinsic = IntrinsicGas::new(to, &input, &[], 0);
    let call = CallRequest {
        sender: CALLER,
        gas_limit: gas.saturating_add(intrinsic.initial),
        to,
        input,
        ..CallRequest::default()
    };
    let mut meter = Meter {
        tracer,
        gas_used: 0,
    };
    let mut machine = Machine::new(Precompiles::osaka());
    match machine.call_traced(&world, &block, &call, &mut meter) {
        Ok(outcome) => Ok(Ran {
            outcome,
            gas_used: meter.gas_used,
        }),
        Err(TransactError::Invalid(invalid)) => Err(Failure::Invalid(invalid)),
        Err(TransactError::State(never)) => match never {},
    }
}

/// Notes what the outermost frame used, before refunds, and passes everything on.
struct Meter<'a, T> {
    tracer: &'a mut T,
    gas_used: u64,
}

impl<T: Tracer> Tracer for Meter<'_, T> {
    const STEPS: bool = T::STEPS;

    fn step(&mut self, step: &Step<'_>) {
        self.tracer.step(step);
    }

    fn enter(&mut self, enter: &Enter<'_>) {
        self.tracer.enter(enter);
    }

    fn exit(&mut self, exit: &Exited<'_>) {
        // The last frame to end is the outermost one.
        self.gas_used = exit.gas_used;
        self.tracer.exit(exit);
    }
}

fn text(ran: &Ran, gas: u64, output: &mut impl Write) -> io::Result<()> {
    let outcome = &ran.outcome;
    writeln!(output, "status: {}", status(outcome.status))?;
    writeln!(output, "gas used: {} of {gas}", ran.gas_used)?;
    writeln!(output, "output: {}", outcome.output)?;
    for Log { address, data } in &outcome.logs {
        let topics: Vec<String> = data
            .topics()
            .iter()
            .map(|topic| format!(" {topic}"))
            .collect();
        writeln!(
            output,
            "log: {address}{} data {}",
            topics.concat(),
            data.data
        )?;
    }
    for account in &outcome.diff.accounts {
        for slot in &account.storage {
            writeln!(
                output,
                "storage: {} {:#x} = {:#x}",
                account.address, slot.slot, slot.after
            )?;
        }
    }
    Ok(())
}

fn json(ran: &Ran) -> Value {
    let outcome = &ran.outcome;
    let logs = outcome
        .logs
        .iter()
        .map(|log| json!({"address": log.address, "topics": log.topics(), "data": log.data.data}));
    json!({
        "pass": outcome.status.is_success(),
        "status": status(outcome.status),
        "gasUsed": format!("{:#x}", ran.gas_used),
        "output": outcome.output,
        "logs": logs.collect::<Vec<_>>(),
        "storage": storage(&outcome.diff),
    })
}

/// Changed slots by account.
fn storage(diff: &Diff) -> Map<String, Value> {
    let changed = diff
        .accounts
        .iter()
        .filter(|account| !account.storage.is_empty());
    let by_account = changed.map(|account| {
        let slots = account.storage.iter();
        let slots: Map<_, _> = slots
            .map(|slot| {
                (
                    format!("{:#x}", slot.slot),
                    format!("{:#x}", slot.after).into(),
                )
            })
            .collect();
        (account.address.to_string(), slots.into())
    });
    by_account.collect()
}
