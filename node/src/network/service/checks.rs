//! Checks on the worker threads. Blocks go at once; transactions wait for each other, so
//! that a flood of them does not stand before a block.

use std::collections::VecDeque;
use std::sync::Arc;

use cairn_genesis::ChainSpec;
use tokio::sync::mpsc::UnboundedSender;

use crate::network::{Check, Checked, check};

/// Transactions of one job: enough to make handing it over cheap.
const BATCH: usize = 16;

/// What workers hand back.
#[derive(Debug)]
pub(super) enum Done {
    /// Transactions; then there is room for the next job.
    Transactions(Vec<Checked>),
    /// A block.
    Block(Checked),
}

/// The way to the workers. What is under way has the bounds that the machine sets.
#[derive(Debug)]
pub(super) struct Checks {
    spec: Arc<ChainSpec>,
    done: UnboundedSender<Done>,
    waiting: VecDeque<Check>,
    running: usize,
    max_running: usize,
}

impl Checks {
    pub(super) fn new(spec: Arc<ChainSpec>, done: UnboundedSender<Done>) -> Self {
        Self {
            spec,
            done,
            waiting: VecDeque::new(),
            running: 0,
            max_running: rayon::current_num_threads(),
        }
    }

    /// Begins a check, or puts it into the queue.
    pub(super) fn begin(&mut self, check: Check) {
        if let Check::Transaction { .. } = check {
            self.waiting.push_back(check);
            return self.next_transactions();
        }
        let (spec, done) = (Arc::clone(&self.spec), self.done.clone());
        // Who does not wait for it any more has ended.
        rayon::spawn(move || drop(done.send(Done::Block(check::run(&spec, check)))));
    }

    /// Takes in what a worker hands back.
    pub(super) fn finished(&mut self, done: Done) -> Vec<Checked> {
        match done {
            Done::Block(checked) => vec![checked],
            Done::Transactions(checked) => {
                self.running -= 1;
                self.next_transactions();
                checked
            }
        }
    }

    fn next_transactions(&mut self) {
        while self.running < self.max_running && !self.waiting.is_empty() {
            let batch: Vec<_> = self
                .waiting
                .drain(..self.waiting.len().min(BATCH))
                .collect();
            self.running += 1;
            let (spec, done) = (Arc::clone(&self.spec), self.done.clone());
            rayon::spawn(move || {
                let checked = batch.into_iter().map(|check| check::run(&spec, check));
                drop(done.send(Done::Transactions(checked.collect())));
            });
        }
    }
}
