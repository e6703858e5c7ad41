//! The two machines side by side, kept from one transaction to the next as a node keeps its own. Ours runs twice: as a
//! node runs it, and with the translation that code gets there only once it is warm.

use std::{fmt, sync::Arc};

use alloy_primitives::U256;
use cairn_vm::{BlockEnv, Machine, Outcome, Precompiles, TransactError, TxEnv};
use revm::{
    Context, ExecuteEvm, InspectEvm, MainBuilder, MainContext, MainnetEvm,
    context::{BlockEnv as RevmBlock, CfgEnv, TxEnv as RevmTx, either::Either},
    context_interface::transaction::{
        AccessList, AccessListItem, Authorization, RecoveredAuthority, RecoveredAuthorization,
    },
    handler::MainnetContext,
    primitives::hardfork::SpecId,
};

use crate::{
    case::Case,
    result::{self, Verdict},
    steps::{Event, Recorder, Stepping},
    world::{Source, World},
};

/// What our machine says of a transaction.
type Ours = Result<Outcome, TransactError<std::convert::Infallible>>;

/// How closely a transaction is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// The results of both machines.
    Result,
    /// Also that our machine gives the same result instruction by instruction.
    Stepping,
    /// Also each step, call and log, against revm's.
    Steps,
}

/// The machines disagree.
#[derive(Clone, Debug)]
pub struct Difference {
    pub what: &'static str,
    pub ours: String,
    pub theirs: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, ours, theirs } = self;
        write!(formatter, "{what}\n  ours:   {ours}\n  theirs: {theirs}")
    }
}

/// Both machines.
pub struct Machines {
    ours: Machine,
    thorough: Machine,
    revm: MainnetEvm<MainnetContext<Source>>,
    watched: MainnetEvm<MainnetContext<Source>, Recorder>,
}

impl Machines {
    pub fn new() -> Self {
        Self::with_cap(None)
    }

    /// Machines in which revm lets a transaction have this much gas, whatever EIP-7825 says.
    pub fn with_cap(gas_cap: Option<u64>) -> Self {
        let context = || {
            let mut cfg = CfgEnv::new_with_spec(SpecId::OSAKA).with_chain_id(31_337);
            cfg.tx_gas_limit_cap = gas_cap;
            Context::mainnet().with_cfg(cfg).with_db(Source::default())
        };
        Self {
            ours: Machine::new(Precompiles::osaka()),
            thorough: Machine::thorough(Precompiles::osaka()),
            revm: context().build_mainnet(),
            watched: context().build_mainnet_with_inspector(Recorder::default()),
        }
    }

    /// Runs a case on both machines.
    pub fn compare(
        &mut self,
        case: &Case,
        watch: Watch,
    ) -> Result<Option<Outcome>, Box<Difference>> {
        let Case { world, block, tx } = case;
        let fast = self.ours.transact(&**world, block, tx);
        let ours = result::of_ours(&fast);
        let theirs = self.theirs(world, block, tx);
        same("result", &ours, &theirs)?;
        let thorough = self.thorough.transact(&**world, block, tx);
        same(
            "result where all is translated thoroughly",
            &result::of_ours(&thorough),
            &theirs,
        )?;
        if let Ok(outcome) = &fast {
            supply(block, outcome)?;
            if watch != Watch::Result {
                self.compare_steps(case, &fast, watch)?;
            }
        }
        Ok(fast.ok())
    }

    /// What revm says.
    pub fn theirs(&mut self, world: &Arc<World>, block: &BlockEnv, tx: &TxEnv) -> Verdict {
        // EIP-7702: "a null destination is not valid". revm leaves that to whoever builds its transaction.
        if tx.to.is_create() && !tx.authorizations.is_empty() {
            return None;
        }
        self.revm.ctx.modify_db(|source| source.0 = world.clone());
        self.revm.set_block(revm_block(block));
        result::of_revm(world, tx, self.revm.transact(revm_tx(tx)))
    }

    /// The same result, instruction by instruction.
    fn compare_steps(
        &mut self,
        case: &Case,
        fast: &Ours,
        watch: Watch,
    ) -> Result<(), Box<Difference>> {
        let Case { world, block, tx } = case;
        let mut recorder = Recorder::default();
        let stepped = match watch {
            Watch::Steps => self
                .ours
                .transact_traced(&**world, block, tx, &mut recorder),
            _ => self
                .ours
                .transact_traced(&**world, block, tx, &mut Stepping),
        };
        let (fast, stepped) = (without_reason(fast.clone()), without_reason(stepped));
        same("result of our own stepping", &stepped, &fast)?;
        if watch == Watch::Steps {
            self.watched
                .ctx
                .modify_db(|source| source.0 = world.clone());
            self.watched.set_block(revm_block(block));
            let result = self.watched.inspect(revm_tx(tx), Recorder::default());
            drop(result);
            let theirs = std::mem::take(&mut self.watched.inspector.events);
            steps(&recorder.events, &theirs)?;
        }
        Ok(())
    }
}

/// Which rule halted a run depends on how much of it is checked at once.
fn without_reason(result: Ours) -> Ours {
    result.map(|outcome| {
        let status = match outcome.status {
            cairn_vm::Status::Halt(_) => cairn_vm::Status::Halt(cairn_vm::Halt::OutOfGas),
            status => status,
        };
        Outcome { status, ..outcome }
    })
}

fn same<T: PartialEq + fmt::Debug>(
    what: &'static str,
    ours: &T,
    theirs: &T,
) -> Result<(), Box<Difference>> {
    if ours == theirs {
        return Ok(());
    }
    let (ours, theirs) = (format!("{ours:x?}"), format!("{theirs:x?}"));
    Err(Box::new(Difference { what, ours, theirs }))
}

/// The same steps, calls and logs; shows where they part.
fn steps(ours: &[Event], theirs: &[Event]) -> Result<(), Box<Difference>> {
    let parting = ours
        .iter()
        .zip(theirs)
        .position(|(ours, theirs)| ours != theirs);
    let at = parting.unwrap_or(ours.len().min(theirs.len()));
    let from = at.saturating_sub(1);
    let near = |events: &[Event]| {
        events
            .get(from..events.len().min(at + 2))
            .map(<[Event]>::to_vec)
    };
    if at == ours.len() && at == theirs.len() {
        return Ok(());
    }
    same(
        "steps",
        &(near(ours), ours.len()),
        &(near(theirs), theirs.len()),
    )
}

/// No coin is made or lost but what was burned, and is said to be.
fn supply(block: &BlockEnv, outcome: &Outcome) -> Result<(), Box<Difference>> {
    let accounts = &outcome.diff.accounts;
    let before = accounts
        .iter()
        .filter_map(|change| change.before)
        .map(|info| info.balance);
    let after = accounts
        .iter()
        .filter_map(|change| change.after)
        .map(|info| info.balance);
    let burned = U256::from(outcome.gas_used) * U256::from(block.base_fee) + outcome.destroyed;
    same(
        "supply",
        &(after.sum::<U256>() + burned),
        &before.sum::<U256>(),
    )
}

fn revm_block(block: &BlockEnv) -> RevmBlock {
    RevmBlock {
        number: U256::from(block.number),
        beneficiary: block.beneficiary,
        timestamp: U256::from(block.timestamp),
        gas_limit: block.gas_limit,
        basefee: block.base_fee,
        prevrandao: Some(block.prevrandao),
        ..RevmBlock::default()
    }
}

fn revm_tx(tx: &TxEnv) -> RevmTx {
    let item = |(address, slots): &(_, Vec<_>)| AccessListItem {
        address: *address,
        storage_keys: slots.clone(),
    };
    let authorization = |entry: &cairn_vm::Authorization| {
        let &cairn_vm::Authorization {
            chain_id,
            address,
            nonce,
            authority,
        } = entry;
        let authority = authority.map_or(RecoveredAuthority::Invalid, RecoveredAuthority::Valid);
        let authorization = Authorization {
            chain_id,
            address,
            nonce,
        };
        Either::Right(RecoveredAuthorization::new_unchecked(
            authorization,
            authority,
        ))
    };
    RevmTx {
        tx_type: if tx.authorizations.is_empty() { 2 } else { 4 },
        caller: tx.sender,
        gas_limit: tx.gas_limit,
        gas_price: tx.max_fee,
        gas_priority_fee: Some(tx.max_priority_fee),
        kind: tx.to,
        value: tx.value,
        data: tx.input.clone(),
        nonce: tx.nonce,
        chain_id: Some(31_337),
        access_list: AccessList(tx.access_list.iter().map(item).collect()),
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: tx.authorizations.iter().map(authorization).collect(),
    }
}
