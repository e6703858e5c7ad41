//! `debug_*`: runs watched instruction by instruction, and raw bytes.
//!
//! ```text
//! trace ─► Replay (the parent's state, and what came before) ─► Machine ─► Watcher ─► a tracer ─► Output
//!   which run          │                                                   price       what is      bounded
//!                      └────────────────── Base: what was before ───────► of each      shown        JSON
//! ```
//!
//! | file | is |
//! |---|---|
//! | `trace`, `raw` | the methods |
//! | `config`, `duration` | their options |
//! | `session` | one request: its machine, its time, its room |
//! | `watcher` | the machine's tracer: prices instructions, looks at the clock, passes on |
//! | `price`, `fault` | what an instruction costs before it runs, and why it does not run |
//! | `base` | the state before the transaction, and between two instructions |
//! | `recorder` | what tracers have in common |
//! | `struct_logger`, `call_tracer`, `prestate`, `four_byte` | the tracers, with geth's answers |
//! | `output` | the answer, up to 64 MiB |
//!
//! Deliberately absent: tracers in JavaScript.

mod base;
mod call_tracer;
mod config;
mod duration;
mod fault;
mod four_byte;
mod output;
mod prestate;
mod price;
mod raw;
mod recorder;
mod session;
mod struct_logger;
#[cfg(test)]
mod tests;
mod trace;
mod watcher;

use super::eth;
use super::methods::Registry;

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("debug_traceTransaction", 2, trace::transaction);
    registry.heavy("debug_traceCall", 3, trace::call);
    registry.heavy("debug_traceBlockByNumber", 2, trace::block_by_number);
    registry.heavy("debug_traceBlockByHash", 2, trace::block_by_hash);
    registry.heavy("debug_getRawBlock", 1, raw::block);
    registry.heavy("debug_getRawHeader", 1, raw::header);
    registry.heavy("debug_getRawReceipts", 1, raw::receipts);
    registry.heavy("debug_getRawTransaction", 1, eth::raw_by_hash);
}
