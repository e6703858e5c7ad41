//! `eth_estimateGas`: the least gas limit with which a call succeeds.

use alloy_primitives::{Address, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use cairn_genesis::MAX_TRANSACTION_GAS;
use cairn_vm::{CallRequest, Halt, InvalidTransaction, Outcome, State, Status, TransactError};

use super::call::{CallArgs, World, halted, refused};
use super::request;
use crate::chain::ChainView;
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;
use crate::store::StoreError;

/// What any transaction costs.
const TRANSACTION_GAS: u64 = 21_000;
/// What a call with value hands over for free: a callee may need it, and give it back.
const CALL_STIPEND: u64 = 2_300;

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("eth_estimateGas", 4, estimate_gas);
}

fn estimate_gas(api: &Api, args: &mut Args<'_>) -> Result<U64, RpcError> {
    let args = CallArgs::parse(args)?;
    estimate(api, &api.view()?, args).map(U64::from)
}

/// The gas limit to use for a request.
///
/// # Errors
/// As `eth_call` has them; and if no gas limit that the sender can pay for suffices.
pub fn estimate(api: &Api, view: &ChainView<'_>, args: CallArgs) -> Result<u64, RpcError> {
    let mut world = World::new(api, view, args.block, args.state, args.environment)?;
    let highest = highest_limit(&world, &args.request)?;
    let call = request::call(args.request, &world.env)?;
    search(highest, |gas_limit| {
        world.run(&CallRequest {
            gas_limit,
            ..call.clone()
        })
    })
}

/// The most gas that a transaction may have here: by the request, the block, the rules, and
/// by what its sender can pay for.
fn highest_limit(world: &World<'_>, request: &TransactionRequest) -> Result<u64, RpcError> {
    let by_rule = world.env.gas_limit.min(MAX_TRANSACTION_GAS);
    let asked = request.gas.filter(|gas| *gas >= TRANSACTION_GAS);
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

type Run = Result<Outcome, TransactError<StoreError>>;

/// Looks for the least limit up to `highest` with which `run` succeeds: a limit with which it
/// does, while it does not with one gas less.
///
/// No limit below what a run with plenty used is tried: code that then succeeds does less
/// (it catches the failure of a call that lacked gas), which nobody asked for. Most need just
/// what they used, or that and what came back; code that calls others needs up to a 63rd
/// more. At most two dozen runs decide the rest, since no transaction has over 2^24 gas.
fn search(highest: u64, mut run: impl FnMut(u64) -> Run) -> Result<u64, RpcError> {
    let outcome = run_at_most(highest, &mut run)?;
    let used = outcome.gas_used;
    let spent = used.saturating_add(outcome.gas_refunded);
    let with_reserve = spent.saturating_add(CALL_STIPEND).saturating_mul(64) / 63;
    let mut bounds = Bounds {
        too_low: used.saturating_sub(1),
        enough: highest,
    };
    for guess in [spent, spent.saturating_sub(1), with_reserve] {
        bounds.probe(guess, &mut run)?;
    }
    while let Some(middle) = bounds.middle() {
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
    /// Runs with a limit that is not decided yet.
    fn probe(&mut self, limit: u64, run: &mut impl FnMut(u64) -> Run) -> Result<(), RpcError> {
        if limit > self.too_low && limit < self.enough {
            match succeeds(run(limit))? {
                true => self.enough = limit,
                false => self.too_low = limit,
            }
        }
        Ok(())
    }

    /// Where to look next, unless the bounds have met. Most calls need little: never more
    /// than twice of what was too low.
    fn middle(&self) -> Option<u64> {
        let middle = self.too_low.midpoint(self.enough);
        let next = middle.min(self.too_low.saturating_mul(2));
        (next > self.too_low).then_some(next)
    }
}

/// The run with all the gas there is. If that does not succeed, no limit will.
fn run_at_most(highest: u64, run: &mut impl FnMut(u64) -> Run) -> Result<Outcome, RpcError> {
    let exceeded = || RpcError::refused(format!("gas required exceeds allowance ({highest})"));
    let outcome = match run(highest) {
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

fn is_lack_of_gas(error: &TransactError<StoreError>) -> bool {
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
            if limit < TRANSACTION_GAS {
                let (got, required) = (limit, TRANSACTION_GAS);
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

    #[test]
    fn what_was_used_is_the_answer_where_it_suffices() {
        assert_eq!(search(30_000_000, machine(21_000, 0)).unwrap(), 21_000);
        assert_eq!(search(21_000, machine(21_000, 0)).unwrap(), 21_000);
    }

    /// The answer, and how many runs it took.
    fn counted(highest: u64, mut machine: impl FnMut(u64) -> Run) -> (u64, u32) {
        let mut runs = 0;
        let counting = |limit| {
            runs += 1;
            machine(limit)
        };
        (search(highest, counting).unwrap(), runs)
    }

    #[test]
    fn two_runs_decide_where_all_that_was_used_is_needed() {
        assert_eq!(counted(30_000_000, machine(250_000, 0)), (250_000, 2));
    }

    #[test]
    fn gas_that_is_needed_and_comes_back_is_found_to_the_last() {
        for need in [22_000, 60_000, 250_000, 9_000_000, 16_777_216] {
            for back in [1, 300, need / 64, need / 5] {
                let (estimate, runs) = counted(MAX_TRANSACTION_GAS, machine(need, back));
                assert_eq!(estimate, need);
                assert!(runs <= 30, "{runs} runs for {need} with {back} back");
            }
        }
    }

    /// A refund is known to have been spent before it came back.
    #[test]
    fn what_was_refunded_is_tried_at_once() {
        let mut plain = machine(100_000, 20_000);
        let refunding = |limit| {
            let mut outcome = plain(limit)?;
            outcome.gas_refunded = 20_000;
            Ok(outcome)
        };
        assert_eq!(counted(30_000_000, refunding), (100_000, 3));
    }

    #[test]
    fn too_little_at_most_is_refused() {
        for highest in [0, 20_999, 59_999] {
            let error = search(highest, machine(60_000, 0)).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("gas required exceeds allowance ({highest})")
            );
        }
    }

    #[test]
    fn reverts_keep_their_data() {
        let run = |_| {
            let mut outcome = machine(21_000, 0)(21_000)?;
            outcome.status = Status::Revert;
            outcome.output = Bytes::from_static(&[1, 2]);
            Ok(outcome)
        };
        assert_eq!(
            search(50_000, run),
            Err(RpcError::Reverted(Bytes::from_static(&[1, 2])))
        );
    }
}
