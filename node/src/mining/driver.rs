//! Keeps the miner's work in step with head, pool and time.

use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use cairn_genesis::{
    ChainSpec, EXTRANONCE_BYTES, SEAL_VERSION, Seal, VerifiedBlock, sealing_bytes,
};
use cairn_miner::{Event, Miner, Work};

use super::Mode;
use super::pause::Pause;
use crate::chain::Template;
use crate::core::Now;

/// Least time between two templates on one head when transactions have come in.
const REFRESH_MS: u64 = 1_000;

/// The same when nothing but time has changed: timestamp and difficulty follow it.
const REFRESH_IDLE_MS: u64 = 5_000;

/// Decides when a template is wanted and turns templates into work and nonces into
/// blocks. Owns the miner's threads; has no clock.
pub struct Driver {
    mode: Mode,
    miner: Miner,
    job: Option<Job>,
    next_id: u64,
    session: u64,
    pool_changed: bool,
    head_changed: bool,
    built_ms: u64,
    due_ms: u64,
    /// Until a template is asked for again after the clock did not allow one.
    pause: Pause,
}

/// The work at hand.
struct Job {
    id: u64,
    template: Arc<Template>,
    seal: Seal,
}

/// What the driver asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing.
    Nothing,
    /// A template on the present head.
    Template,
}

impl Driver {
    /// A driver for `miner`. `session` makes its extranonces differ from those of
    /// other nodes and of earlier runs.
    pub fn new(mode: Mode, miner: Miner, session: u64, now: Now) -> Self {
        Self {
            mode,
            miner,
            job: None,
            next_id: 0,
            session,
            pool_changed: true,
            head_changed: true,
            built_ms: 0,
            due_ms: match mode {
                Mode::Interval(span) => now.ms.saturating_add(millis(span)),
                _ => 0,
            },
            pause: Pause::none(session),
        }
    }

    /// The head moved: work on the old one is worthless.
    pub fn head_changed(&mut self) {
        self.head_changed = true;
        self.pause.end();
        self.stop();
    }

    /// Transactions came in.
    pub fn pool_changed(&mut self) {
        self.pool_changed = true;
    }

    /// Hashes computed since the start.
    pub fn hashes(&self) -> u64 {
        self.miner.hashes()
    }

    /// How long the miner has worked since the start.
    pub fn worked(&self) -> Duration {
        self.miner.worked()
    }

    /// Whether the miner has work.
    pub fn is_active(&self) -> bool {
        self.job.is_some()
    }

    /// What is wanted at this time. `executable` says whether the pool holds
    /// transactions that a block can take.
    pub fn wanted(&self, now: Now, executable: bool) -> Wanted {
        let wanted = match self.mode {
            Mode::Off => false,
            Mode::Continuous if self.job.is_none() => !self.pause.lasts(now.ms),
            Mode::Continuous => self.is_stale(now),
            Mode::OnTransaction => match self.job {
                Some(_) => self.is_stale(now),
                None => executable && (self.head_changed || self.pool_changed),
            },
            Mode::Interval(_) => match self.job {
                Some(_) => self.is_stale(now),
                None => now.ms >= self.due_ms,
            },
        };
        match wanted {
            true => Wanted::Template,
            false => Wanted::Nothing,
        }
    }

    fn is_stale(&self, now: Now) -> bool {
        let age_ms = now.ms.saturating_sub(self.built_ms);
        match self.pool_changed {
            true => age_ms >= REFRESH_MS,
            false => age_ms >= REFRESH_IDLE_MS,
        }
    }

    /// Takes a template and sets the miner to work on it.
    pub fn set_template(&mut self, now: Now, template: Template) {
        self.pool_changed = false;
        self.head_changed = false;
        self.built_ms = now.ms;
        if self.mode == Mode::OnTransaction && template.transactions.is_empty() {
            self.stop();
            return;
        }
        self.set_job(Arc::new(template));
    }

    /// No template can be had now, for a reason that time removes.
    pub fn no_template(&mut self, now: Now) {
        self.built_ms = now.ms;
        self.pause.begin(now.ms);
        self.stop();
    }

    /// Takes what the miner reports: a sealed block, if it found one.
    pub fn event(&mut self, spec: &ChainSpec, now: Now, event: Event) -> Option<VerifiedBlock> {
        let (Event::Found { work_id, .. } | Event::Exhausted { work_id }) = event;
        let job = self.job.take_if(|job| job.id == work_id)?;
        let Event::Found { nonce, .. } = event else {
            self.set_job(job.template);
            return None;
        };
        if let Mode::Interval(span) = self.mode {
            // Counted from when the block was due, so that blocks do not drift.
            let next = self.due_ms.saturating_add(millis(span));
            self.due_ms = next.max(now.ms);
        }
        let seal = Seal { nonce, ..job.seal };
        match job.template.seal(spec, seal) {
            Ok(block) => Some(block),
            Err(error) => {
                tracing::error!(%error, "the miner's block breaks a rule");
                None
            }
        }
    }

    fn set_job(&mut self, template: Arc<Template>) {
        self.next_id += 1;
        let header = &template.header;
        let seal = Seal {
            version: SEAL_VERSION,
            time: u32::try_from(header.timestamp).unwrap_or(u32::MAX),
            nonce: 0,
            extranonce: self.extranonce(),
        };
        let bytes = sealing_bytes(header, &seal);
        let target = B256::from(template.target.value());
        self.miner
            .set_work(Some(Work::new(self.next_id, bytes, target.0)));
        self.job = Some(Job {
            id: self.next_id,
            template,
            seal,
        });
    }

    fn stop(&mut self) {
        if self.job.take().is_some() {
            self.miner.set_work(None);
        }
    }

    fn extranonce(&self) -> [u8; EXTRANONCE_BYTES] {
        let mut bytes = [0; EXTRANONCE_BYTES];
        bytes[..8].copy_from_slice(&self.session.to_be_bytes());
        let low = self.next_id.to_be_bytes();
        bytes[8..].copy_from_slice(&low[4..]);
        bytes
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
