//! The program `cairn-vm`: runs state tests and code, and shows code.
//!
//! | file | what |
//! |---|---|
//! | [`cli`] | arguments and help |
//! | [`statetest`] | the verb `statetest`: official fixtures, in parallel |
//! | [`run`] | the verb `run`: one piece of code in an empty state |
//! | [`disasm`] | the verb `disasm`: instructions by basic block |
//! | [`world`] | a state in memory, and its Merkle-Patricia root |
//! | [`eip3155`] | the tracer behind `--trace` |
//! | [`failure`] | errors and exit codes |

mod cli;
mod disasm;
mod eip3155;
mod failure;
mod hex;
mod run;
mod statetest;
mod world;

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
};

use clap::Parser;

use cli::{Arguments, Verb};
use failure::Failure;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(message) => {
            // Help and version come this way too, with exit code 0. Nobody can be told that printing failed.
            let _ = message.print();
            return u8::try_from(message.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    let mut output = BufWriter::new(io::stdout().lock());
    let done = perform(arguments.verb, &mut output);
    match done.and_then(|passed| Ok(output.flush().map(|()| passed)?)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(failure::FAILED),
        Err(failure) => {
            if !failure.is_broken_pipe() {
                eprintln!("cairn-vm: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Does what was asked for. False if it was done, and shows a failure.
fn perform(verb: Verb, output: &mut impl Write) -> Result<bool, Failure> {
    match verb {
        Verb::Statetest(arguments) => statetest::perform(&arguments, output),
        Verb::Run(arguments) => run::perform(&arguments, output).map(|()| true),
        Verb::Disasm(arguments) => disasm::perform(&arguments, output).map(|()| true),
    }
}
