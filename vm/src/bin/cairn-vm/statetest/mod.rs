//! The verb `statetest`: runs Ethereum's state tests.
//!
//! ```text
//! paths ──files──► *.json ──fixture──► cases ──transaction──► TxEnv, BlockEnv ──machine──► Outcome
//!                                        │                                                   │
//!                                        └── post: root, logs, exception ◄──case: compare────┘
//! ```
//!
//! Threads take file after file; each has a machine of its own. What they find is printed in the order
//! of the files.

mod case;
mod difference;
mod envelope;
mod files;
mod fixture;
mod report;
mod transaction;

pub use case::status;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use cairn_vm::{
    Machine, Precompiles,
    trace::{NoTracer, Step, Tracer},
};

use crate::{Failure, cli::StatetestArguments, eip3155::Eip3155};
use case::{Verdict, cases};
use fixture::Fixtures;
use report::Sum;

/// Runs the cases. False if one fails.
pub fn perform(arguments: &StatetestArguments, output: &mut impl Write) -> Result<bool, Failure> {
    let files = files::find(&arguments.paths)?;
    match &arguments.trace {
        Some(name) => trace(&files, name, output),
        None => run_all(&files, arguments, output),
    }
}

/// What came of a file.
struct FileReport {
    verdicts: Vec<Verdict>,
    skipped: usize,
    failure: Option<Failure>,
}

fn run_all(
    files: &[PathBuf],
    arguments: &StatetestArguments,
    output: &mut impl Write,
) -> Result<bool, Failure> {
    let threads = arguments.threads.map_or(0, |threads| threads.get());
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    let new = if arguments.thorough {
        Machine::thorough
    } else {
        Machine::new
    };
    let reports = if arguments.by_instruction {
        in_parallel(&pool, files, new, |machine, file| {
            run_file(file, machine, &mut Stepped)
        })
    } else {
        in_parallel(&pool, files, new, |machine, file| {
            run_file(file, machine, &mut NoTracer)
        })
    };
    let mut sum = Sum::default();
    let mut is_complete = true;
    for report in reports {
        sum.skipped += report.skipped;
        for verdict in &report.verdicts {
            sum.add(verdict);
            match arguments.json {
                true => report::json(verdict, output)?,
                false => report::text(verdict, output)?,
            }
        }
        if let Some(failure) = report.failure {
            eprintln!("cairn-vm: {failure}");
            is_complete = false;
        }
    }
    if arguments.json {
        report::json_sum(&sum, output)?;
        eprintln!("{}", sum.line());
    } else {
        report::text_sum(&sum, output)?;
    }
    let has_cases = sum.passed + sum.failed + sum.skipped > 0;
    if is_complete && !has_cases {
        eprintln!(
            "cairn-vm: there is no case for the fork {} in what was read",
            case::FORK
        );
    }
    Ok(is_complete && has_cases && sum.failed == 0)
}

/// Has every thread of the pool take files as long as there are some. The results are in the order of the files.
fn in_parallel<T: Send>(
    pool: &rayon::ThreadPool,
    files: &[PathBuf],
    new: fn(Precompiles) -> Machine,
    run: impl Fn(&mut Machine, &Path) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let by_thread = pool.broadcast(|_| {
        let mut machine = new(Precompiles::osaka());
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(index) else {
                return done;
            };
            done.push((index, run(&mut machine, file)));
        }
    });
    let mut results: Vec<_> = by_thread.into_iter().flatten().collect();
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A tracer that only makes the machine go one instruction at a time.
struct Stepped;

impl Tracer for Stepped {
    const STEPS: bool = true;

    fn step(&mut self, _: &Step<'_>) {}
}

fn run_file<T: Tracer>(file: &Path, machine: &mut Machine, tracer: &mut T) -> FileReport {
    let mut report = FileReport {
        verdicts: Vec::new(),
        skipped: 0,
        failure: None,
    };
    match load(file) {
        Ok(fixtures) => {
            for case in fixtures
                .iter()
                .flat_map(|(name, fixture)| cases(file, name, fixture))
            {
                if case.has_blobs() {
                    report.skipped += 1;
                } else {
                    report.verdicts.push(case.judge(machine, tracer));
                }
            }
        }
        Err(failure) => report.failure = Some(failure),
    }
    report
}

fn load(file: &Path) -> Result<Fixtures, Failure> {
    let bytes = fs::read(file).map_err(|error| Failure::Read {
        path: file.into(),
        error,
    })?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::NotAFixture {
        path: file.into(),
        error,
    })
}

/// Prints the trace of one case, and then EIP-3155's summary.
fn trace(files: &[PathBuf], wanted: &str, output: &mut impl Write) -> Result<bool, Failure> {
    let (file, name) = find_case(files, wanted)?;
    let fixtures = load(&file)?;
    let mut machine = Machine::new(Precompiles::osaka());
    let mut sum = Sum::default();
    for case in cases(&file, &name, &fixtures[&name]) {
        let mut tracer = Eip3155::new(&mut *output);
        let verdict = case.judge(&mut machine, &mut tracer);
        tracer.finish()?;
        report::trace_summary(&verdict, output)?;
        sum.add(&verdict);
        for failure in &verdict.failures {
            eprintln!("{failure}");
        }
    }
    eprintln!("{}", sum.line());
    Ok(sum.failed == 0)
}

/// The case of that name, or else the only one that has it in its name.
fn find_case(files: &[PathBuf], wanted: &str) -> Result<(PathBuf, String), Failure> {
    let mut similar = Vec::new();
    for file in files {
        for (name, fixture) in load(file)? {
            if fixture.post.contains_key(case::FORK) && name.contains(wanted) {
                if name == wanted {
                    return Ok((file.clone(), name));
                }
                similar.push((file.clone(), name));
            }
        }
    }
    let count = similar.len();
    match similar.pop() {
        Some(found) if count == 1 => Ok(found),
        Some((_, example)) => Err(Failure::SeveralCases {
            wanted: wanted.to_owned(),
            count,
            example,
        }),
        None => Err(Failure::NoSuchCase(wanted.to_owned())),
    }
}
