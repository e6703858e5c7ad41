//! Machines that requests share: code that one call prepared is ready for the next.
//!
//! A machine keeps prepared code by its hash, and nothing else from one run to the next. One
//! request has it at a time.

use std::ops::{Deref, DerefMut};

use cairn_vm::Machine;
use parking_lot::Mutex;

use crate::precompiles::precompiles;

/// Memory that prepared code of a machine may take while nobody uses it, bytes. A caller may
/// send any code, so what was prepared for one is not worth much more to the next.
const MAX_IDLE_BYTES: usize = 16 << 20;

/// The machines that nobody uses now.
#[derive(Debug)]
pub struct Machines {
    idle: Mutex<Vec<Machine>>,
    most: usize,
}

impl Machines {
    /// Keeps at most `most` machines; more than that are made when as many are in use, and
    /// dropped after. Trades the memory of their prepared code against preparing it again.
    pub fn new(most: usize) -> Self {
        Self {
            idle: Mutex::default(),
            most,
        }
    }

    /// A machine with this chain's precompiles, the one that was used last if it is free.
    pub fn take(&self) -> Lent<'_> {
        let idle = self.idle.lock().pop();
        let machine = idle.unwrap_or_else(|| Machine::new(precompiles()));
        Lent {
            machines: self,
            machine: Some(machine),
        }
    }
}

/// A machine in use. It returns when this is dropped, unless by a panic: what that left
/// behind is not used again.
#[derive(Debug)]
pub struct Lent<'m> {
    machines: &'m Machines,
    machine: Option<Machine>,
}

/// Why there is a machine inside.
const UNTIL_DROPPED: &str = "the machine leaves only when this is dropped";

impl Deref for Lent<'_> {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        self.machine.as_ref().expect(UNTIL_DROPPED)
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Machine {
        self.machine.as_mut().expect(UNTIL_DROPPED)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let Some(mut machine) = self.machine.take() else {
            return;
        };
        machine.trim(MAX_IDLE_BYTES);
        let mut idle = self.machines.idle.lock();
        if idle.len() < self.machines.most {
            idle.push(machine);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle(machines: &Machines) -> usize {
        machines.idle.lock().len()
    }

    #[test]
    fn only_so_many_machines_are_kept() {
        let machines = Machines::new(2);
        let lent: Vec<_> = (0..3).map(|_| machines.take()).collect();
        assert_eq!(idle(&machines), 0);
        drop(lent);
        assert_eq!(idle(&machines), 2);
        let again = machines.take();
        assert_eq!(idle(&machines), 1);
        drop(again);
        assert_eq!(idle(&machines), 2);
    }

    #[test]
    fn a_machine_whose_run_panicked_does_not_return() {
        let machines = Machines::new(2);
        let run = std::panic::AssertUnwindSafe(|| {
            let _lent = machines.take();
            panic!("in the middle of a run");
        });
        assert!(std::panic::catch_unwind(run).is_err());
        assert_eq!(idle(&machines), 0);
    }
}
