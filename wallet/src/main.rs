//! The program `cairn-wallet`. It decides nothing but the exit code: 0 done, 1 failed, 2 the command line is
//! wrong.

use std::process::ExitCode;

use cairn_wallet::{Arguments, run};

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(message) => {
            // Help and version come this way too, with exit code 0. Nobody can be told that
            // printing failed.
            let _ = message.print();
            return u8::try_from(message.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
        }
    };
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_broken_pipe() {
                eprintln!("cairn-wallet: {failure}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
