//! The machine against `revm`, in one process, on the same bytecode, calldata and state.
//!
//! `cargo bench -p cairn-vm --bench vm [-- NAME…]`. Each program is checked first: same status, gas, output, logs
//! and storage. Then both run it in turns; the table shows medians and the ratio. Prints, and asserts nothing about time.

mod contracts;
mod world;

use std::time::{Duration, Instant};

use alloy_primitives::{Address, Bytes, TxKind, U256};
use cairn_vm::{BlockEnv, CallRequest, Machine, Outcome, Precompiles};
use contracts::Contract;
use revm::{
    Context, ExecuteEvm, MainBuilder, MainContext,
    context::{BlockEnv as RevmBlock, CfgEnv, TxEnv as RevmTx, result::ExecutionResult},
    primitives::hardfork::SpecId,
};
use world::{CONTRACT, SENDER, World};

/// More than any of the programs needs, and more than EIP-7825 lets a transaction have.
const GAS_LIMIT: u64 = 1_000_000_000;

/// Time that each machine gets for each program.
const BUDGET: Duration = Duration::from_millis(700);

/// Runs at the least.
const MIN_RUNS: usize = 7;

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let all = contracts::all();
    let chosen = all.iter().filter(|contract| {
        wanted.is_empty()
            || wanted
                .iter()
                .any(|name| contract.name.contains(name.as_str()))
    });
    println!(
        "{:<24} {:>12} {:>12} {:>12} {:>8}",
        "program", "gas", "cairn ms", "revm ms", "ratio"
    );
    let mut logs = Vec::new();
    for contract in chosen {
        let ratio = compare(contract);
        logs.push(ratio.ln());
    }
    let mean = (logs.iter().sum::<f64>() / logs.len().max(1) as f64).exp();
    println!(
        "{:<24} {:>12} {:>12} {:>12} {mean:>8.2}",
        "geometric mean", "", "", ""
    );
}

fn compare(contract: &Contract) -> f64 {
    let world = World::with(contract);
    let mut ours = Ours::new(&world, &contract.calldata);
    let mut revm = revm_runner(&world, &contract.calldata);
    let gas = check(contract.name, &ours.run(), &revm());
    let (mut our_times, mut revm_times) = (Vec::new(), Vec::new());
    let start = Instant::now();
    while our_times.len() < MIN_RUNS || start.elapsed() < 2 * BUDGET {
        our_times.push(timed(|| drop(ours.run())));
        revm_times.push(timed(|| drop(revm())));
    }
    let (ours, revm) = (median(our_times), median(revm_times));
    let ratio = revm / ours;
    println!(
        "{:<24} {gas:>12} {ours:>12.3} {revm:>12.3} {ratio:>8.2}",
        contract.name
    );
    ratio
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// Milliseconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e3
}

struct Ours<'a> {
    machine: Machine,
    world: &'a World,
    block: BlockEnv,
    call: CallRequest,
}

impl<'a> Ours<'a> {
    fn new(world: &'a World, calldata: &Bytes) -> Self {
        let call = CallRequest {
            sender: SENDER,
            gas_limit: GAS_LIMIT,
            to: TxKind::Call(CONTRACT),
            input: calldata.clone(),
            ..CallRequest::default()
        };
        let block = BlockEnv {
            number: 1,
            gas_limit: u64::MAX,
            chain_id: 1,
            ..BlockEnv::default()
        };
        Self {
            machine: Machine::new(Precompiles::osaka()),
            world,
            block,
            call,
        }
    }

    fn run(&mut self) -> Outcome {
        let outcome = self.machine.call(self.world, &self.block, &self.call);
        outcome.expect("a call in a state that never fails")
    }
}

type RevmOutcome = revm::context::result::ExecResultAndState<ExecutionResult>;

fn revm_runner(world: &World, calldata: &Bytes) -> impl FnMut() -> RevmOutcome + use<> {
    let mut cfg = CfgEnv::new_with_spec(SpecId::OSAKA);
    cfg.tx_gas_limit_cap = Some(u64::MAX);
    cfg.disable_nonce_check = true;
    let block = RevmBlock {
        number: U256::ONE,
        gas_limit: u64::MAX,
        beneficiary: Address::ZERO,
        ..Default::default()
    };
    let tx = RevmTx {
        caller: SENDER,
        gas_limit: GAS_LIMIT,
        kind: TxKind::Call(CONTRACT),
        data: calldata.clone(),
        ..Default::default()
    };
    let context = Context::mainnet()
        .with_cfg(cfg)
        .with_block(block)
        .with_db(world.for_revm());
    let mut evm = context.build_mainnet();
    move || evm.transact(tx.clone()).expect("a valid transaction")
}

/// Both did the same; returns the gas.
fn check(name: &str, ours: &Outcome, revm: &RevmOutcome) -> u64 {
    assert!(ours.status.is_success(), "{name}: {:?}", ours.status);
    assert!(revm.result.is_success(), "{name}: {:?}", revm.result);
    assert_eq!(ours.gas_used, revm.result.tx_gas_used(), "{name}: gas");
    assert_eq!(
        ours.output,
        revm.result.output().cloned().unwrap_or_default(),
        "{name}: output"
    );
    assert_eq!(ours.logs, revm.result.logs(), "{name}: logs");
    let mut slots: Vec<(Address, U256, U256)> = Vec::new();
    for (address, account) in &revm.state {
        let changed = account.storage.iter().filter(|(_, slot)| slot.is_changed());
        slots.extend(changed.map(|(key, slot)| (*address, *key, slot.present_value)));
    }
    slots.sort_unstable();
    let accounts = ours.diff.accounts.iter();
    let expected: Vec<_> = accounts
        .flat_map(|account| {
            account
                .storage
                .iter()
                .map(|slot| (account.address, slot.slot, slot.after))
        })
        .collect();
    assert_eq!(expected, slots, "{name}: storage");
    ours.gas_used
}
