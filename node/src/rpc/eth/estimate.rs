//! `eth_estimateGas`: the least gas limit with which a call succeeds.

use alloy_primitives::{Address, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use cairn_genesis::MAX_TRANSACTION_GAS;
use cairn_vm::{Halt, InvalidTransaction, Outcome, State, Status, TransactError, gas};

use super::call::{CallArgs, Run, World, halted, refused};
use super::deadline::Unread;
use super::need::Need;
use super::request;
use crate::chain::ChainView;
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;

/// How far from the guess to look, one after the other.
const STEPS: [u64; 7] = [1 << 3, 1 << 6, 1 << 9, 1 << 12, 1 << 15, 1 << 18, 1 << 21];

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("eth_estimateGas", 4, estimate_gas);
}

fn estimate_gas(api: &Api, args: &mut Args<'_>) -> Result<U64, RpcError> {
    let args = CallArgs::parse(args)?;
    estimate(api, &api.view()?, args).map(U64::from)
}

/// The gas limit to use for a request: the least with which it succeeds.
///
/// # Errors
/// As `eth_call` has them; and if no gas limit that the sender can pay for suffices.
pub fn estimate(api: &Api, view: &ChainView<'_>, args: CallArgs) -> Result<u64, RpcError> {
    let mut world = World::new(api, view, args.block, args.state, args.environment)?;
    let highest = highest_limit(&world, &args.request)?;
    let mut call = request::call(args.request, &world.env)?;
    call.gas_limit = highest;
    let mut need = Need::default();
    let outcome = enough(highest, world.run_traced(&call, &mut need))?;
    let guess = Guess {
        used: outcome.gas_used,
        limit: need.limit(highest).unwrap_or(highest),
    };
    search(highest, guess, |gas_limit| {
        call.gas_limit = gas_limit;
        world.run(&call)
    })
}

/// The most gas that a transaction may have here: by the request, the block, the rules, and
/// by what its sender can pay for.
fn highest_limit(world: &World<'_>, request: &TransactionRequest) -> Result<u64, RpcError> {
    let by_rule = world.env.gas_limit.min(MAX_TRANSACTION_GAS);
    let asked = request.gas.filter(|asked| *asked >= gas::TRANSACTION);
    let highest = asked.map_or(by_rule, |gas| gas.min(by_rule));
    let offer = request::offer(request, world.env.base_fee)?;
    if offer.max_fee == 0 {
        return Ok(highest);
    }
    let sender = request.from.unwrap_or_default();
    let balance = balance(world, sender)?;
    let value = request.value.unwrap_or_default();
    let left = balance.checked_sub(value).ok_or_else(|| {
        RpcError::refused(format!(
            "insufficient funds for transfer: {sender} has {balance} wei, the value is {value}"
        ))
    })?;
    let affordable = left / U256::from(offer.max_fee);
    Ok(u64::try_from(affordable).unwrap_or(u64::MAX).min(highest))
}

fn balance(world: &World<'_>, address: Address) -> Result<U256, RpcError> {
    let account = world.state.account(address)?;
    Ok(account.unwrap_or_default().balance)
}

/// What a run with plenty of gas tells.
#[derive(Debug, Clone, Copy)]
struct Guess {
    /// What it paid for.
    used: u64,
    /// The limit that it should have needed.
    limit: u64,
}

/// Looks for the least limit up to `highest`, which suffices: a limit with which `run` succeeds,
/// while it does not with one gas less.
///
/// No limit below what was used is tried: code that then succeeds does less (it catches the
/// failure of a call that lacked gas), which nobody asked for. The guess is right unless code
/// looks at its gas; from there the search goes in growing steps and then halves what is
/// left, in at most 32 runs, since no transaction has over 2^24 gas.
fn search(highest: u64, guess: Guess, mut run: impl FnMut(u64) -> Run) -> Result<u64, RpcError> {
    // EIP-7623's floor can be above what the run itself needs.
    let limit = guess.limit.max(guess.used);
    let mut bounds = Bounds {
        too_low: guess.used.saturating_sub(1),
        enough: highest,
    };
    bounds.probe(limit, &mut run)?;
    bounds.probe(limit.saturating_sub(1), &mut run)?;
    for step in STEPS {
        bounds.probe(limit.saturating_add(step), &mut run)?;
        bounds.probe(limit.saturating_sub(step), &mut run)?;
    }
    while bounds.too_low.saturating_add(1) < bounds.enough {
        let middle = bounds.too_low.midpoint(bounds.enough);
        bounds.probe(middle, &mut run)?;
    }
    Ok(bounds.enough)
}

/// Between which limits the least one lies.
struct Bounds {
    too_low: u64,
    enough: u64,
}

impl Bounds {
    /// Runs with this limit, unless it is decided already.
    fn probe(&mut self, limit: u64, run: &mut impl FnMut(u64) -> Run) -> Result<(), RpcError> {
        if limit > self.too_low && limit < self.enough {
            match succeeds(run(limit))? {
                true => self.enough = limit,
                false => self.too_low = limit,
            }
        }
        Ok(())
    }
}

/// The outcome of the run with all the gas there is. If that did not succeed, no limit will.
fn enough(highest: u64, run: Run) -> Result<Outcome, RpcError> {
    let exceeded = || RpcError::refused(format!("gas required exceeds allowance ({highest})"));
    let outcome = match run {
        Err(error) if is_lack_of_gas(&error) => return Err(exceeded()),
        other => other.map_err(refused)?,
    };
    match outcome.status {
        Status::Success => Ok(outcome),
        Status::Revert => Err(RpcError::Reverted(outcome.output)),
        Status::Halt(Halt::OutOfGas) => Err(exceeded()),
        Status::Halt(halt) => Err(halted(halt)),
    }
}

/// Whether a run with less gas still succeeds.
fn succeeds(run: Run) -> Result<bool, RpcError> {
    match run {
        Ok(outcome) => Ok(outcome.status.is_success()),
        Err(error) if is_lack_of_gas(&error) => Ok(false),
        Err(error) => Err(refused(error)),
    }
}

fn is_lack_of_gas(error: &TransactError<Unread>) -> bool {
    use InvalidTransaction::{FloorGas, IntrinsicGas};
    matches!(
        error,
        TransactError::Invalid(IntrinsicGas { .. } | FloorGas { .. })
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Bytes;

    /// A run that needs `need` gas at the start, of which it gives `back` back.
    fn machine(need: u64, back: u64) -> impl FnMut(u64) -> Run {
        move |limit| {
            if limit < gas::TRANSACTION {
                let (got, required) = (limit, gas::TRANSACTION);
                return Err(InvalidTransaction::IntrinsicGas { got, required }.into());
            }
            let enough = limit >= need;
            Ok(Outcome {
                status: if enough {
                    Status::Success
                } else {
                    Status::Halt(Halt::OutOfGas)
                },
                created: None,
                gas_used: if enough { need - back } else { limit },
                gas_refunded: 0,
                output: Bytes::new(),
                logs: vec![],
                diff: Default::default(),
                destroyed: U256::ZERO,
            })
        }
    }

    /// The answer for a run that needs `need` gas and used less, from a guess at `limit`; and
    /// how many runs it took.
    fn found(highest: u64, need: u64, used: u64, limit: u64) -> (u64, u32) {
        let mut machine = machine(need, need - used);
        let mut runs = 0;
        let counting = |limit| {
            runs += 1;
            machine(limit)
        };
        let found = search(highest, Guess { used, limit }, counting).unwrap();
        (found, runs)
    }

    #[test]
    fn a_right_guess_is_checked_and_done() {
        assert_eq!(found(30_000_000, 250_000, 250_000, 250_000), (250_000, 1));
        assert_eq!(found(30_000_000, 250_000, 240_000, 250_000), (250_000, 2));
        assert_eq!(found(21_000, 21_000, 21_000, 21_000), (21_000, 0));
        // The floor of calldata is above what was needed.
        assert_eq!(found(30_000_000, 60_000, 60_000, 50_000), (60_000, 1));
    }

    #[test]
    fn a_wrong_guess_costs_only_runs() {
        for need in [22_000, 60_000, 250_000, 9_000_000, MAX_TRANSACTION_GAS] {
            for guess in [21_001, need - 70, need - 1, need + 1, need + 900, 2 * need] {
                let (estimate, runs) = found(MAX_TRANSACTION_GAS, need, 21_001, guess);
                assert_eq!(estimate, need);
                assert!(runs <= 32, "{runs} runs for {need} from {guess}");
            }
        }
        assert_eq!(
            found(MAX_TRANSACTION_GAS, 60_000, 50_000, 59_995),
            (60_000, 5)
        );
    }

    #[test]
    fn too_little_at_most_is_refused() {
        for highest in [0, 20_999, 59_999] {
            let error = enough(highest, machine(60_000, 0)(highest)).unwrap_err();
            let words = format!("gas required exceeds allowance ({highest})");
            assert_eq!(error.to_string(), words);
        }
    }

    #[test]
    fn reverts_keep_their_data() {
        let mut outcome = machine(21_000, 0)(21_000).unwrap();
        outcome.status = Status::Revert;
        outcome.output = Bytes::from_static(&[1, 2]);
        let output = outcome.output.clone();
        assert_eq!(enough(50_000, Ok(outcome)), Err(RpcError::Reverted(output)));
    }
}
