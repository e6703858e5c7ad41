//! `eth_createAccessList`: what a transaction should announce to pay less for it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, TxKind, U64, U256};
use cairn_vm::trace::{Step, Tracer};
use cairn_vm::{CallRequest, State, Status, opcode};
use serde::Serialize;

use super::call::{CallArgs, World, in_words, refused};
use super::deadline::{Deadline, Unread};
use super::request;
use crate::precompiles::precompiles;
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;

/// Runs at most. A list changes what a run pays, and code that looks at its gas may go
/// another way with each: then the last list is as good as any.
const MOST_RUNS: usize = 8;
/// Instructions between two looks at the clock: some tens of microseconds.
const STEPS_PER_LOOK: u32 = 1024;

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("eth_createAccessList", 4, create_access_list);
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessListResult {
    /// Accounts and slots that the run touches and that are not warm anyway.
    pub access_list: AccessList,
    /// What the transaction uses with this list.
    pub gas_used: U64,
    /// Why the run failed, if it did; the list is what it touched until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

fn create_access_list(api: &Api, args: &mut Args<'_>) -> Result<AccessListResult, RpcError> {
    let args = CallArgs::parse(args)?;
    let view = api.view()?;
    let mut world = World::new(api, &view, args.block, args.state, args.environment)?;
    let mut call = request::call(args.request, &world.env)?;
    let warm = warm_anyway(&world, &call)?;
    let mut touched = Touched::new(warm, &call.access_list, world.deadline);
    let mut runs = 0;
    loop {
        call.access_list = touched.list();
        let before = touched.accounts.clone();
        let outcome = world.run_traced(&call, &mut touched).map_err(refused)?;
        touched.in_time.clone()?;
        runs += 1;
        if touched.accounts == before || runs == MOST_RUNS {
            return Ok(AccessListResult {
                access_list: to_json(call.access_list),
                gas_used: U64::from(outcome.gas_used),
                error: failure(outcome.status),
            });
        }
    }
}

fn failure(status: Status) -> Option<String> {
    match status {
        Status::Success => None,
        Status::Revert => Some("execution reverted".into()),
        Status::Halt(halt) => Some(in_words(halt)),
    }
}

/// Whom it costs more to announce than to touch: all that EIP-2929, EIP-3651 and EIP-7702 warm.
fn warm_anyway(world: &World<'_>, call: &CallRequest) -> Result<HashSet<Address>, RpcError> {
    let target = match call.to {
        TxKind::Call(target) => target,
        TxKind::Create => {
            let sender = world.state.account(call.sender)?.unwrap_or_default();
            call.sender.create(sender.nonce)
        }
    };
    let authorities = call
        .authorizations
        .iter()
        .filter_map(|entry| entry.authority);
    let known = [call.sender, target, world.env.beneficiary];
    Ok(precompiles()
        .addresses()
        .chain(known)
        .chain(authorities)
        .collect())
}

fn to_json(list: Vec<(Address, Vec<B256>)>) -> AccessList {
    let items = list.into_iter();
    let item = |(address, storage_keys)| AccessListItem {
        address,
        storage_keys,
    };
    AccessList(items.map(item).collect())
}

/// Accounts and slots that instructions named. Accounts that are warm anyway are left out
/// unless they have slots.
struct Touched {
    warm: HashSet<Address>,
    accounts: BTreeMap<Address, BTreeSet<B256>>,
    deadline: Deadline,
    steps: u32,
    in_time: Result<(), Unread>,
}

impl Touched {
    fn new(warm: HashSet<Address>, listed: &[(Address, Vec<B256>)], deadline: Deadline) -> Self {
        let listed = listed.iter().filter(|(address, _)| !warm.contains(address));
        let accounts = listed.map(|(address, slots)| (*address, slots.iter().copied().collect()));
        Self {
            accounts: accounts.collect(),
            warm,
            deadline,
            steps: 0,
            in_time: Ok(()),
        }
    }

    fn list(&self) -> Vec<(Address, Vec<B256>)> {
        let accounts = self.accounts.iter();
        accounts
            .map(|(address, slots)| (*address, slots.iter().copied().collect()))
            .collect()
    }

    fn account(&mut self, word: Option<&U256>) {
        let Some(word) = word else { return };
        let address = Address::from_word(B256::from(*word));
        if !self.warm.contains(&address) {
            self.accounts.entry(address).or_default();
        }
    }

    fn slot(&mut self, account: Address, word: Option<&U256>) {
        let Some(word) = word else { return };
        let slots = self.accounts.entry(account).or_default();
        slots.insert(B256::from(*word));
    }
}

impl Tracer for Touched {
    const STEPS: bool = true;

    /// The stack may lack what the instruction takes; then it fails and touches nothing.
    fn step(&mut self, step: &Step<'_>) {
        use opcode::{
            BALANCE, CALL, CALLCODE, DELEGATECALL, EXTCODECOPY, EXTCODEHASH, EXTCODESIZE,
            SELFDESTRUCT, SLOAD, SSTORE, STATICCALL,
        };
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(STEPS_PER_LOOK) {
            self.in_time = self.deadline.check();
        }
        let mut from_top = step.stack.iter().rev();
        match step.opcode {
            SLOAD | SSTORE => self.slot(step.address, from_top.next()),
            BALANCE | EXTCODECOPY | EXTCODEHASH | EXTCODESIZE | SELFDESTRUCT => {
                self.account(from_top.next());
            }
            CALL | CALLCODE | DELEGATECALL | STATICCALL => self.account(from_top.nth(1)),
            _ => {}
        }
    }

    fn is_stopped(&self) -> bool {
        self.in_time.is_err()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use alloy_rpc_types_eth::TransactionRequest;
    use alloy_rpc_types_eth::state::{AccountOverride, StateOverride};
    use cairn_vm::{BlockEnv, Machine};

    use super::super::overrides::Overridden;
    use super::*;
    use crate::state::StateAt;
    use crate::store::{Memory, Store};

    /// How many steps are seen of code that never ends by itself, on a state without a clock.
    fn steps_until(deadline: Deadline) -> (u32, Result<(), Unread>) {
        let code = Address::repeat_byte(0xc0);
        let endless = AccountOverride::default().with_code(vec![0x5b, 0x5f, 0x56]);
        let accounts = StateOverride::from_iter([(code, endless)]);
        let store = Memory::default();
        let reader = store.snapshot();
        let base = StateAt::new(&*reader, 0, 0, 0).unwrap();
        let state = Overridden::new(base, accounts, Default::default()).unwrap();
        let env = BlockEnv::default();
        let call = request::call(TransactionRequest::default().to(code), &env).unwrap();
        let mut touched = Touched::new(HashSet::new(), &[], deadline);
        let ran = Machine::new(precompiles()).call_traced(&state, &env, &call, &mut touched);
        assert!(ran.is_ok());
        (touched.steps, touched.in_time)
    }

    #[test]
    fn a_run_ends_at_the_first_look_at_a_clock_that_says_so() {
        let until = |timeout| steps_until(Deadline::new(Instant::now(), timeout));
        let late = Err(Unread::Late(Duration::ZERO));
        assert_eq!(until(Duration::ZERO), (STEPS_PER_LOOK, late));
        let (steps, in_time) = until(Duration::from_secs(3_600));
        assert_eq!(in_time, Ok(()));
        assert!(steps > 1_000_000, "until there is no gas left: {steps}");
    }
}
