//! `eth_call`: run, and change nothing.

use std::time::Instant;

use alloy_primitives::Bytes;
use alloy_rpc_types_eth::state::StateOverride;
use alloy_rpc_types_eth::{BlockId, BlockOverrides, TransactionRequest};
use cairn_genesis::Header;
use cairn_vm::{
    BlockEnv, CallRequest, Halt, InvalidTransaction, Outcome, Status, TransactError, trace,
};

use super::deadline::{Deadline, Timed, Unread};
use super::overrides::{self, Overridden};
use super::{lookup, pending, request};
use crate::chain::{ChainView, block_env};
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::machines::Lent;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;
use crate::state::StateAt;

pub(super) fn register(registry: &mut Registry) {
    registry.heavy("eth_call", 4, call);
}

/// Parameters of `eth_call` and `eth_estimateGas`.
#[derive(Debug, Clone, Default)]
pub struct CallArgs {
    /// What to run.
    pub request: TransactionRequest,
    /// On which block's state, and in which block.
    pub block: BlockId,
    /// Accounts that are to be other than they are.
    pub state: StateOverride,
    /// What is to be different about the block.
    pub environment: BlockOverrides,
}

impl CallArgs {
    /// Reads the four parameters, of which the first alone is required.
    pub fn parse(args: &mut Args<'_>) -> Result<Self, RpcError> {
        Ok(Self {
            request: args.required("transaction")?,
            block: args.optional("block")?.unwrap_or_default(),
            state: args.optional("state overrides")?.unwrap_or_default(),
            environment: args.optional("block overrides")?.unwrap_or_default(),
        })
    }
}

/// Where a call runs.
pub struct World<'v> {
    /// What it reads.
    pub state: Overridden<Timed<StateAt<'v>>>,
    /// The block around it.
    pub env: BlockEnv,
    /// Until when.
    pub deadline: Deadline,
    machine: Lent<'v>,
}

/// What a run comes to.
pub type Run = Result<Outcome, TransactError<Unread>>;

impl<'v> World<'v> {
    /// The world at a block. A call sees the block that it names as the one it is in; at
    /// `pending` it is in the next one.
    pub fn new(
        api: &'v Api,
        view: &'v ChainView<'_>,
        block: BlockId,
        state: StateOverride,
        environment: BlockOverrides,
    ) -> Result<Self, RpcError> {
        let number = lookup::canonical_height(view, block)?;
        let header = match block.is_pending() {
            true => pending::next_header(api, view.tip_record()),
            false => header_at(view, number)?,
        };
        let mut env = block_env(&api.node.spec, &header);
        overrides::apply_to_block(&mut env, &environment)?;
        let hashes = environment.block_hash.unwrap_or_default();
        let deadline = Deadline::new(Instant::now(), api.call_timeout);
        let base = Timed::new(view.state_at(number)?, deadline);
        Ok(Self {
            state: Overridden::new(base, state, hashes)?,
            env,
            deadline,
            machine: api.machines.take(),
        })
    }

    /// Runs a call; the world stays as it is.
    pub fn run(&mut self, call: &CallRequest) -> Run {
        self.run_traced(call, &mut trace::NoTracer)
    }

    /// The same, watched by `tracer`.
    pub fn run_traced(&mut self, call: &CallRequest, tracer: &mut impl trace::Tracer) -> Run {
        self.machine
            .call_traced(&self.state, &self.env, call, tracer)
    }
}

fn header_at(view: &ChainView<'_>, number: u64) -> Result<Header, RpcError> {
    let record = lookup::by_number(view, number)?;
    Ok(record.ok_or_else(|| lookup::gap(number))?.header)
}

fn call(api: &Api, args: &mut Args<'_>) -> Result<Bytes, RpcError> {
    let args = CallArgs::parse(args)?;
    let view = api.view()?;
    let mut world = World::new(api, &view, args.block, args.state, args.environment)?;
    let call = request::call(args.request, &world.env)?;
    let outcome = world.run(&call).map_err(refused)?;
    match outcome.status {
        Status::Success => Ok(outcome.output),
        Status::Revert => Err(RpcError::Reverted(outcome.output)),
        Status::Halt(halt) => Err(halted(halt)),
    }
}

/// The error for a run that broke a rule of the machine.
pub fn halted(halt: Halt) -> RpcError {
    RpcError::refused(in_words(halt))
}

/// The rule that was broken, geth's words first.
pub fn in_words(halt: Halt) -> String {
    match halt {
        Halt::CreateCollision => format!("contract address collision: {halt}"),
        Halt::InsufficientBalance => format!("insufficient balance for transfer: {halt}"),
        _ => halt.to_string(),
    }
}

/// The error for a call that cannot even begin, geth's words first.
pub fn refused(error: TransactError<impl Into<RpcError>>) -> RpcError {
    let invalid = match error {
        TransactError::State(error) => return error.into(),
        TransactError::Invalid(invalid) => invalid,
    };
    RpcError::refused(match &invalid {
        InvalidTransaction::InsufficientFunds {
            available,
            required,
        } => format!(
            "insufficient funds for gas * price + value: the sender has {available} wei, this takes {required}"
        ),
        InvalidTransaction::FloorGas { .. } => {
            format!("insufficient gas for floor data gas cost: {invalid}")
        }
        InvalidTransaction::InitCodeTooLarge { .. } => {
            format!("max initcode size exceeded: {invalid}")
        }
        _ => invalid.to_string(),
    })
}
