//! Functional tests of contracts: the real `cairn`, asked over JSON-RPC.

#[cfg(test)]
mod contracts;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod traces;
