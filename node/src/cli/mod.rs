//! The command line of `cairn`: raw arguments become validated ones once, and one
//! place decides the exit code.

mod address;
mod args;
mod banner;
mod db;
mod logging;
mod network;
mod node_url;
mod peer;
mod run;
mod signals;
mod spec;
mod value;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use cairn_genesis::ChainSpec;

use args::{Cli, Command};

/// Runs the program. 0: done; 1: failed, one sentence on stderr; 2: wrong usage.
pub fn main() -> ExitCode {
    let cli = Cli::read();
    let result = match cli.command {
        Command::Run(args) => run::run(args),
        Command::Dev(args) => run::dev(args),
        Command::Db(args) => db::run(&args),
        Command::Spec(args) => spec::run(&args),
        Command::Peer(args) => peer::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nobody is left to be told that nobody reads stderr.
            let _ = writeln!(io::stderr(), "error: {message}");
            ExitCode::from(1)
        }
    }
}

/// Prints a result. Who has stopped to read, as `head` does, wants no more of it.
fn print(result: impl Display) -> Result<(), String> {
    match writeln!(io::stdout(), "{result}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!(
            "cannot write the result: {error}; check where the output goes"
        )),
        _ => Ok(()),
    }
}

/// The built-in chain of this name, or the spec in this file.
fn load_spec(chain: &str) -> Result<Arc<ChainSpec>, String> {
    if let Some(spec) = ChainSpec::builtin(chain) {
        return Ok(Arc::new(spec.clone()));
    }
    let path = Path::new(chain);
    if !path.exists() {
        return Err(format!(
            "there is no chain `{chain}`: the built-in ones are {}, anything else is the path of a spec file (`cairn spec new` writes one)",
            ChainSpec::builtin_names().join(", ")
        ));
    }
    if path.is_dir() {
        return Err(format!(
            "cannot read the chain spec {chain}: it is a directory; give the path of the file in it"
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!("cannot read the chain spec {chain}: {error}; is it a file that you may read?")
    })?;
    let spec = ChainSpec::from_json(&text)
        .map_err(|error| format!("the chain spec {chain} is not valid: {error}"))?;
    Ok(Arc::new(spec))
}
