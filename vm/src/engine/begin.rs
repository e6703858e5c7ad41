//! How a call or a creation begins: all that is checked and done before its frame runs.

use alloy_primitives::{Address, U256, keccak256};

use super::{OWN, Run, input};
use crate::{
    Halt, Journal, State,
    frame::{FrameEnd, Kind},
    instructions::{call::Call, create::Creation},
    journal::AccountId,
    memory::Range,
    trace::{Enter, Exited, FrameKind, Tracer},
};

/// Frames above the outermost one: the call stack's limit of the Yellow Paper.
const MAX_DEPTH: usize = 1024;

/// A creation with all that has to be known before its frame begins.
pub(crate) struct Create {
    pub kind: FrameKind,
    pub creator: AccountId,
    pub creator_address: Address,
    pub address: Address,
    pub value: U256,
    pub gas: u64,
}

/// What became of a call or creation.
pub(super) enum Begun {
    /// A frame has to run.
    Frame,
    /// There is nothing to run.
    Ended(FrameEnd),
}

impl<S, T> Run<'_, S, T>
where
    S: State + ?Sized,
    T: Tracer,
{
    /// Begins a call in the frame above `depth`, which was made for it.
    pub(super) fn begin_call(&mut self, depth: usize, call: &Call) -> Result<Begun, S::Error> {
        let engine = &mut *self.engine;
        engine.frames[depth].kind = Kind::Call(call.output);
        let precompile = engine.precompiles.get(&call.code_address);
        let enter = Enter {
            kind: call.kind,
            from: call.payer_address,
            to: call.code_address,
            value: call.value,
            gas: call.gas,
            caller_gas: engine.caller_gas(depth),
            input: engine.input(depth, self.input),
            is_precompile: precompile.is_some(),
        };
        self.tracer.enter(&enter);
        engine.return_data.clear();
        if depth > MAX_DEPTH {
            return Ok(self.at_once(call.gas, FrameEnd::refused(Halt::DepthExceeded, call.gas)));
        }
        let checkpoint = engine.journal.checkpoint();
        if let Err(halt) = pay(&mut engine.journal, call) {
            engine.journal.revert(checkpoint);
            return Ok(self.at_once(call.gas, FrameEnd::refused(halt, call.gas)));
        }
        if let Some(precompile) = precompile {
            let end = engine.run_precompile(precompile, depth, self.input, call.gas);
            if !end.status.is_success() {
                engine.journal.revert(checkpoint);
            }
            return Ok(self.at_once(call.gas, end));
        }
        if call.code.is_empty() {
            return Ok(self.at_once(call.gas, FrameEnd::success(call.gas)));
        }
        let (program, start) = engine.programs.start(call.code_hash, &call.code);
        let frame = &mut engine.frames[depth];
        frame.program = program;
        frame.next_op = start;
        frame.begin(call.gas, checkpoint, Kind::Call(call.output));
        frame.contract = call.contract;
        frame.address = call.address;
        frame.caller = call.caller;
        frame.value = call.value;
        frame.is_static = call.is_static;
        Ok(Begun::Frame)
    }

    pub(super) fn nested_create(
        &mut self,
        depth: usize,
        creation: &Creation,
    ) -> Result<Begun, S::Error> {
        let engine = &mut *self.engine;
        let (creator, creator_address) = {
            let frame = &engine.frames[depth - 1];
            (frame.contract, frame.address)
        };
        let nonce = engine.journal.account(creator).nonce();
        let init_code = engine.input(depth, self.input);
        let (kind, address) = match creation.salt {
            None => (FrameKind::Create, creator_address.create(nonce)),
            Some(salt) => {
                let hash = keccak256(init_code);
                (
                    FrameKind::Create2,
                    creator_address.create2(salt.to_be_bytes(), hash),
                )
            }
        };
        let Creation { value, gas, .. } = *creation;
        let refused = if depth > MAX_DEPTH {
            Some(Halt::DepthExceeded)
        } else if engine.journal.account(creator).balance() < value {
            Some(Halt::InsufficientBalance)
        } else if nonce == u64::MAX {
            Some(Halt::NonceOverflow)
        } else {
            engine.journal.set_nonce(creator, nonce + 1);
            None
        };
        let create = Create {
            kind,
            creator,
            creator_address,
            address,
            value,
            gas,
        };
        if let Some(halt) = refused {
            self.announce(&create, depth);
            return Ok(self.at_once(gas, FrameEnd::refused(halt, gas)));
        }
        self.begin_create(depth, &create)
    }

    fn announce(&mut self, create: &Create, depth: usize) {
        let frame = &mut self.engine.frames[depth];
        frame.kind = Kind::Create;
        frame.address = create.address;
        let enter = Enter {
            kind: create.kind,
            from: create.creator_address,
            to: create.address,
            value: create.value,
            gas: create.gas,
            caller_gas: self.engine.caller_gas(depth),
            input: self.engine.input(depth, self.input),
            is_precompile: false,
        };
        self.tracer.enter(&enter);
        self.engine.return_data.clear();
    }

    /// Begins a creation in the frame above `depth`, which was made for it. The creator's nonce is incremented already.
    pub(super) fn begin_create(
        &mut self,
        depth: usize,
        create: &Create,
    ) -> Result<Begun, S::Error> {
        self.announce(create, depth);
        let engine = &mut *self.engine;
        let journal = &mut engine.journal;
        // EIP-2929: the address stays warm, also if the creation fails.
        let contract = journal.access(self.state, create.address)?.id;
        // EIP-7610: "then the creation MUST throw as if the first byte in the init code were an invalid opcode".
        if journal.account(contract).collides() {
            return Ok(self.at_once(create.gas, FrameEnd::halt(Halt::CreateCollision)));
        }
        let checkpoint = journal.checkpoint();
        journal.create_contract(contract);
        if let Err(halt) = journal.transfer(create.creator, contract, create.value) {
            journal.revert(checkpoint);
            return Ok(self.at_once(create.gas, FrameEnd::halt(halt)));
        }
        engine
            .own
            .resize_with(engine.own.len().max(depth + 1), || None);
        let init_code = input(
            &engine.frames[..depth],
            self.input,
            engine.frames[depth].input,
        );
        let mut program = engine.init_code.take(init_code);
        let frame = &mut engine.frames[depth];
        frame.input = Range::default();
        frame.program = OWN;
        frame.next_op = program.start();
        engine.own[depth] = Some(program);
        frame.begin(create.gas, checkpoint, Kind::Create);
        frame.contract = contract;
        frame.caller = create.creator_address;
        frame.value = create.value;
        frame.is_static = false;
        Ok(Begun::Frame)
    }

    /// What ends as soon as it has begun.
    fn at_once(&mut self, gas: u64, end: FrameEnd) -> Begun {
        self.announce_end(gas, &end);
        Begun::Ended(end)
    }

    pub(super) fn announce_end(&mut self, gas: u64, end: &FrameEnd) {
        let exit = Exited {
            status: end.status,
            gas_used: gas.saturating_sub(end.gas_left),
            output: &self.engine.return_data,
        };
        self.tracer.exit(&exit);
    }
}

/// Moves the value that comes with a call. Only CALL moves it to another account; CALLCODE has to own it.
fn pay(journal: &mut Journal, call: &Call) -> Result<(), Halt> {
    match call.kind {
        FrameKind::Call => journal.transfer(call.payer, call.contract, call.value),
        FrameKind::CallCode if journal.account(call.payer).balance() < call.value => {
            Err(Halt::InsufficientBalance)
        }
        FrameKind::StaticCall => {
            journal.touch(call.contract);
            Ok(())
        }
        _ => Ok(()),
    }
}
