//! Many seeds on all processors, until one shows a difference.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    case::{Case, NEIGHBORS, Neighborhood, transaction},
    machines::{Difference, Machines, Watch},
    minimize::minimize,
    rng::Rng,
};

/// How often progress is printed.
const PRINT_EVERY: Duration = Duration::from_secs(5);

/// Seeds that a thread takes at a time.
const BATCH: u64 = 16 * NEIGHBORS;

/// What a campaign did.
#[derive(Debug, Default)]
pub struct Done {
    pub programs: u64,
    pub transactions: u64,
    pub invalid: u64,
    pub succeeded: u64,
    pub gas: u64,
}

/// What all threads share.
struct Campaign {
    first: u64,
    programs: u64,
    next: AtomicU64,
    stop: AtomicBool,
    done: Mutex<Done>,
    finds: Mutex<Vec<String>>,
}

/// Runs `programs` seeds from `first` on. Returns what was done, or the first differences as a report.
pub fn run(first: u64, programs: u64) -> Result<Done, String> {
    let campaign = Campaign {
        first,
        programs,
        next: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        done: Mutex::default(),
        finds: Mutex::default(),
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| campaign.work()))
            .collect();
        let (start, mut printed) = (Instant::now(), Instant::now());
        while !workers.iter().all(|worker| worker.is_finished()) {
            thread::sleep(Duration::from_millis(20));
            if printed.elapsed() > PRINT_EVERY {
                printed = Instant::now();
                campaign.print(start.elapsed());
            }
        }
    });
    let finds = campaign
        .finds
        .into_inner()
        .expect("no thread panics while it reports");
    if !finds.is_empty() {
        return Err(finds.join("\n\n"));
    }
    Ok(campaign
        .done
        .into_inner()
        .expect("no thread panics while it counts"))
}

impl Campaign {
    fn print(&self, elapsed: Duration) {
        let done = self.done.lock().expect("no thread panics while it counts");
        let rate = done.programs as f64 / elapsed.as_secs_f64();
        let Done {
            programs,
            transactions,
            ..
        } = *done;
        println!(
            "{programs} of {} programs, {transactions} transactions, {rate:.0} programs/s",
            self.programs
        );
    }

    fn work(&self) {
        let mut machines = Machines::new();
        while !self.stop.load(Ordering::Relaxed) {
            let start = self.next.fetch_add(BATCH, Ordering::Relaxed);
            if start >= self.programs {
                return;
            }
            let mut done = Done::default();
            let mut neighborhood = Neighborhood::of(self.first.wrapping_add(start));
            for offset in start..self.programs.min(start + BATCH) {
                let seed = self.first.wrapping_add(offset);
                if !neighborhood.contains(seed) {
                    neighborhood = Neighborhood::of(seed);
                }
                let run = || program(&mut machines, &neighborhood, seed, &mut done);
                let ran = catch_unwind(AssertUnwindSafe(run));
                let report = match ran {
                    Ok(Ok(())) => continue,
                    Ok(Err(find)) => find.report(seed),
                    Err(_) => format!(
                        "seed {seed}: a machine panicked\n{:x?}",
                        neighborhood.case(seed)
                    ),
                };
                self.stop.store(true, Ordering::Relaxed);
                self.finds
                    .lock()
                    .expect("no thread panics while it reports")
                    .push(report);
                return;
            }
            self.done
                .lock()
                .expect("no thread panics while it counts")
                .add(&done);
        }
    }
}

impl Done {
    fn add(&mut self, more: &Self) {
        let Self {
            programs,
            transactions,
            invalid,
            succeeded,
            gas,
        } = more;
        self.programs += programs;
        self.transactions += transactions;
        self.invalid += invalid;
        self.succeeded += succeeded;
        self.gas += gas;
    }
}

/// A case in which the machines disagree.
pub struct Find {
    case: Case,
    watch: Watch,
    difference: Box<Difference>,
}

/// Runs the program of one seed: its transaction, then mostly once more with less gas, or another one
/// on what it left behind.
pub fn program(
    machines: &mut Machines,
    neighborhood: &Neighborhood,
    seed: u64,
    done: &mut Done,
) -> Result<(), Box<Find>> {
    let rng = &mut Rng::new(!seed);
    let watch = match rng.below(16) {
        0 => Watch::Steps,
        1 | 2 => Watch::Stepping,
        _ => Watch::Result,
    };
    let mut case = neighborhood.case(seed);
    done.programs += 1;
    for _ in 0..3 {
        let outcome = machines.compare(&case, watch);
        let outcome = outcome.map_err(|difference| {
            Box::new(Find {
                case: case.clone(),
                watch,
                difference,
            })
        })?;
        done.transactions += 1;
        let Some(outcome) = outcome else {
            done.invalid += 1;
            return Ok(());
        };
        done.gas += outcome.gas_used;
        done.succeeded += u64::from(outcome.status.is_success());
        match rng.below(4) {
            0 | 1 => {
                case.tx.gas_limit =
                    rng.between(21_000, outcome.gas_used + outcome.gas_refunded + 3_000)
            }
            2 => {
                let world = case.world.after(&outcome.diff);
                case.tx = transaction(rng, &world, &case.block);
                case.world = Arc::new(world);
            }
            _ => return Ok(()),
        }
    }
    Ok(())
}

impl Find {
    /// All that is needed to see it again, on new machines if it shows there.
    fn report(&self, seed: u64) -> String {
        let shows = |case: &Case| {
            let compare = || Machines::new().compare(case, self.watch);
            catch_unwind(AssertUnwindSafe(compare)).is_ok_and(|compared| compared.is_err())
        };
        let Self {
            case,
            watch,
            difference,
        } = self;
        if !shows(case) {
            return format!(
                "seed {seed} ({watch:?}), not on new machines: {difference}\n{}",
                describe(case)
            );
        }
        let small = minimize(case, shows);
        let difference = Machines::new()
            .compare(&small, *watch)
            .err()
            .unwrap_or(difference.clone());
        format!(
            "seed {seed} ({watch:?}): {difference}\n{}",
            describe(&small)
        )
    }
}

fn describe(case: &Case) -> String {
    let mut text = format!("{:x?}\n{:x?}\n", case.block, case.tx);
    for account in &case.world.accounts {
        let (info, storage) = (account.info, &account.storage);
        text += &format!(
            "{}: nonce {}, balance {}, storage {storage:x?}\n  {}\n",
            account.address, info.nonce, info.balance, account.code
        );
    }
    text
}
