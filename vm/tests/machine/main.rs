//! The machine through its public interface, one file per subject.

#![cfg(test)]

mod authorization;
mod call;
mod create;
mod fees;
mod journal_model;
mod journal_rules;
mod precompile;
mod supply;
mod trace;
mod validity;
mod world;
