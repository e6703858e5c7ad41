//! How a user ends a node: the first signal asks, a second Ctrl-C insists.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What shells report of a program that Ctrl-C ended: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// The signals that ask for the end. None is missed from when this was made.
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Begins to listen. After the first signal, Ctrl-C ends the process from within the signal's
    /// handler, whatever its threads are doing: as safe as `kill -9`, which costs nothing that
    /// anybody was told of.
    pub fn listen() -> io::Result<Self> {
        let is_asked = Arc::new(AtomicBool::new(false));
        // Actions run in this order, so the first Ctrl-C does not find what it sets itself.
        flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&is_asked))?;
        flag::register(SIGINT, Arc::clone(&is_asked))?;
        flag::register(SIGTERM, is_asked)?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the first signal.
    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
