//! `cairn db check` and `cairn db stats`.

use std::fmt::Arguments;
use std::io::{IsTerminal, Write};

use cairn_genesis::ChainSpec;

use super::args::{DbArgs, DbCommand, DbTarget};
use super::run::datadir;
use super::{load_spec, print};
use crate::chain::audit::audit;
use crate::store::{Column, Rocks};

/// Runs the command.
pub fn run(args: &DbArgs) -> Result<(), String> {
    match &args.command {
        DbCommand::Check(target) => check(target),
        DbCommand::Stats(target) => stats(target),
    }
}

fn open(target: &DbTarget, spec: &ChainSpec) -> Result<Rocks, String> {
    let path = datadir(target.datadir.as_ref(), spec)?;
    if !path.join("db").exists() {
        return Err(format!(
            "there is no database in {}; name its directory with --datadir, or its chain with --chain",
            path.display()
        ));
    }
    Rocks::open(&path, spec.genesis_hash()).map_err(|error| error.to_string())
}

fn check(target: &DbTarget) -> Result<(), String> {
    let spec = load_spec(&target.chain)?;
    let store = open(target, &spec)?;
    let watched = std::io::stderr().is_terminal();
    let progress = |left: u64| {
        if watched {
            show(format_args!("\r{left} blocks left  "));
        }
    };
    let audit = audit(&store, &spec, progress).map_err(|error| error.to_string())?;
    if watched {
        show(format_args!("\r                      \r"));
    }
    if target.json {
        return print_json(&audit);
    }
    print(format_args!(
        "ok: {} blocks up to height {}, {} transactions, {} accounts, {} storage words; state root and supply recomputed",
        audit.blocks, audit.height, audit.transactions, audit.accounts, audit.slots
    ))
}

/// Progress that cannot be shown is not missed.
fn show(progress: Arguments<'_>) {
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{progress}").and_then(|()| stderr.flush());
}

fn stats(target: &DbTarget) -> Result<(), String> {
    let spec = load_spec(&target.chain)?;
    let store = open(target, &spec)?;
    let sizes: Result<Vec<_>, _> = Column::ALL
        .into_iter()
        .map(|column| store.column_size(column).map(|size| (column, size)))
        .collect();
    let sizes = sizes.map_err(|error| error.to_string())?;
    if target.json {
        let map: serde_json::Map<_, _> = sizes
            .iter()
            .map(|(column, size)| (column.name().to_owned(), serde_json::json!(size)))
            .collect();
        return print_json(&map);
    }
    let mut table = format!(
        "{:<16} {:>12} {:>14} {:>14}",
        "column", "keys (about)", "disk bytes", "memory bytes"
    );
    for (column, size) in sizes {
        let (name, keys) = (column.name(), size.keys);
        let (disk, memory) = (size.disk_bytes, size.memory_bytes);
        table += &format!("\n{name:<16} {keys:>12} {disk:>14} {memory:>14}");
    }
    print(table)
}

fn print_json(value: &impl serde::Serialize) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    print(text)
}
