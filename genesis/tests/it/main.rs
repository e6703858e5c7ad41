//! The rules, tested from outside: each has a test that accepts and one that rejects
//! (`docs/protocol.md` lists them).
//!
//! The modules are marked as tests so that clippy lets their helpers unwrap.

#[cfg(test)]
mod blocks;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod mnemonic;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod specs;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod vectors_ed25519;
#[cfg(test)]
mod vectors_ethereum;

#[cfg(test)]
#[path = "../../src/vectors.rs"]
mod vectors;
