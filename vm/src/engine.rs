//! The engine: runs frames within frames, without recursion.
//!
//! ```text
//! enter ──► interpreter ──┬── call, creation ──► enter a frame above it
//!             ▲           └── end ──► leave: settle, deploy, hand the output to the frame below
//!             └────────────────────────────────────────────────┘
//! ```
//!
//! Frames lie in a pool by depth and are reused, so that a call allocates nothing.

use alloy_primitives::{Address, Bytes, U256, keccak256};

use crate::{
    Halt, Journal, PrecompileFailure, Precompiles, State, Status,
    code::{Granularity, Program},
    frame::{Frame, FrameEnd, Kind},
    gas::{CODE_DEPOSIT_BYTE, MAX_CODE_LEN},
    hashes::Hashes,
    instructions::{call::Call, create::Creation},
    interpreter::{self, Env, Exit, World},
    journal::AccountId,
    memory::Range,
    precompiles::Precompile,
    programs::Programs,
    trace::{Enter, Exited, FrameKind, Tracer},
};

/// Frames above the outermost one: the call stack's limit of the Yellow Paper.
const MAX_DEPTH: usize = 1024;

/// Marks a frame whose program is its own.
const OWN: usize = usize::MAX;

/// Frames kept between transactions; a deep recursion's are given back.
const MAX_KEPT_FRAMES: usize = 64;

/// What is reused from run to run.
#[derive(Debug)]
pub(crate) struct Engine {
    pub journal: Journal,
    precompiles: Precompiles,
    programs: Programs,
    frames: Vec<Frame>,
    /// The programs of frames that run init code, by depth.
    own: Vec<Option<Box<Program>>>,
    return_data: Vec<u8>,
    hashes: Hashes,
}

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
enum Begun {
    /// A frame has to run.
    Frame,
    /// There is nothing to run.
    Ended(FrameEnd),
}

impl FrameEnd {
    fn success(gas_left: u64) -> Self {
        Self {
            status: Status::Success,
            gas_left,
        }
    }

    fn halt(halt: Halt) -> Self {
        Self {
            status: Status::Halt(halt),
            gas_left: 0,
        }
    }

    /// What fails before anything happens gives all gas back.
    fn refused(halt: Halt, gas_left: u64) -> Self {
        Self {
            status: Status::Halt(halt),
            gas_left,
        }
    }
}

impl Engine {
    pub fn new(precompiles: Precompiles, granularity: Granularity) -> Self {
        // EIP-2929: accessed_addresses is initialized to include "all precompiles".
        let journal = Journal::new(precompiles.addresses());
        Self {
            journal,
            precompiles,
            programs: Programs::new(granularity),
            frames: Vec::new(),
            own: Vec::new(),
            return_data: Vec::new(),
            hashes: Hashes::new(),
        }
    }

    /// Makes ready for the next transaction.
    pub fn reset(&mut self) {
        self.journal.reset();
        self.programs.trim();
        self.frames.truncate(MAX_KEPT_FRAMES);
        self.own.clear();
        self.return_data.clear();
    }

    /// What the outermost frame returned.
    pub fn output(&self) -> Bytes {
        Bytes::copy_from_slice(&self.return_data)
    }
}

/// One run: the engine, and what it runs in.
pub(crate) struct Run<'a, S: ?Sized, T> {
    pub engine: &'a mut Engine,
    pub state: &'a S,
    pub env: Env<'a>,
    /// Calldata or init code of the outermost frame.
    pub input: &'a [u8],
    pub tracer: &'a mut T,
}

impl<S, T> Run<'_, S, T>
where
    S: State + ?Sized,
    T: Tracer,
{
    /// Makes the outermost call.
    pub fn call(&mut self, call: &Call) -> Result<FrameEnd, S::Error> {
        self.engine.make_frame(0, call.input);
        match self.begin_call(0, call)? {
            Begun::Frame => self.run_frames(),
            Begun::Ended(end) => Ok(end),
        }
    }

    /// Makes the outermost creation.
    pub fn create(&mut self, create: &Create) -> Result<FrameEnd, S::Error> {
        self.engine.make_frame(0, Range::all(self.input));
        match self.begin_create(0, create)? {
            Begun::Frame => self.run_frames(),
            Begun::Ended(end) => Ok(end),
        }
    }

    /// Runs the outermost frame, and all that come above it.
    fn run_frames(&mut self) -> Result<FrameEnd, S::Error> {
        let mut depth = 1;
        loop {
            let begun = match self.interpret(depth)? {
                Exit::Call(call) => {
                    self.engine.make_frame(depth, call.input);
                    self.begin_call(depth, &call)?
                }
                Exit::Create(creation) => {
                    self.engine.make_frame(depth, creation.init_code);
                    self.nested_create(depth, &creation)?
                }
                Exit::End(status) => {
                    let end = self.leave(depth, status);
                    depth -= 1;
                    if depth == 0 {
                        return Ok(end);
                    }
                    self.resume(depth, end);
                    continue;
                }
            };
            match begun {
                Begun::Frame => depth += 1,
                Begun::Ended(end) => self.resume(depth, end),
            }
        }
    }

    fn interpret(&mut self, depth: usize) -> Result<Exit, S::Error> {
        let Engine {
            journal,
            programs,
            frames,
            own,
            return_data,
            hashes,
            ..
        } = &mut *self.engine;
        let (below, rest) = frames.split_at_mut(depth - 1);
        let frame = &mut rest[0];
        let input = input(below, self.input, frame.input);
        let program = match frame.program {
            OWN => own[depth - 1]
                .as_mut()
                .expect("a frame's own program is there while it runs"),
            index => programs.get(index),
        };
        let mut world = World {
            journal,
            state: self.state,
            env: self.env,
            return_data,
            hashes,
            input,
            depth,
        };
        interpreter::run(frame, program, &mut world, self.tracer)
    }

    /// Begins a call in the frame above `depth`, which was made for it.
    fn begin_call(&mut self, depth: usize, call: &Call) -> Result<Begun, S::Error> {
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
        let program = engine.programs.find(call.code_hash, &call.code);
        let frame = &mut engine.frames[depth];
        frame.program = program;
        frame.begin(call.gas, checkpoint, Kind::Call(call.output));
        frame.contract = call.contract;
        frame.address = call.address;
        frame.caller = call.caller;
        frame.value = call.value;
        frame.is_static = call.is_static;
        Ok(Begun::Frame)
    }

    fn nested_create(&mut self, depth: usize, creation: &Creation) -> Result<Begun, S::Error> {
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
    fn begin_create(&mut self, depth: usize, create: &Create) -> Result<Begun, S::Error> {
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
        engine.own[depth] = Some(engine.programs.take_init(init_code));
        let frame = &mut engine.frames[depth];
        frame.input = Range::default();
        frame.program = OWN;
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

    fn announce_end(&mut self, gas: u64, end: &FrameEnd) {
        let exit = Exited {
            status: end.status,
            gas_used: gas.saturating_sub(end.gas_left),
            output: &self.engine.return_data,
        };
        self.tracer.exit(&exit);
    }

    /// Settles the topmost frame.
    fn leave(&mut self, depth: usize, status: Status) -> FrameEnd {
        let engine = &mut *self.engine;
        let Frame {
            kind,
            checkpoint,
            contract,
            gas_limit,
            ..
        } = engine.frames[depth - 1];
        let mut end = FrameEnd {
            status,
            gas_left: engine.frames[depth - 1].gas,
        };
        if kind == Kind::Create {
            if let Some(program) = engine.own[depth - 1].take() {
                engine.programs.give_back(program);
            }
            if status.is_success() {
                end = engine.deploy(contract, end.gas_left);
            }
        }
        if !end.status.is_success() {
            engine.journal.revert(checkpoint);
        }
        self.announce_end(gas_limit, &end);
        end
    }

    /// Gives the frame at `depth` the result of what it began.
    fn resume(&mut self, depth: usize, end: FrameEnd) {
        let Engine {
            frames,
            return_data,
            ..
        } = &mut *self.engine;
        let [.., frame, above] = &mut frames[..=depth] else {
            return;
        };
        frame.gas += end.gas_left;
        let succeeded = end.status.is_success();
        match above.kind {
            Kind::Call(output) => {
                frame.memory.write_prefix(output, return_data);
                if succeeded {
                    frame.replace(1, U256::ONE);
                }
            }
            Kind::Create if succeeded => {
                return_data.clear();
                frame.replace(1, above.address.into_word().into());
            }
            Kind::Create => {}
        }
    }
}

/// What lies at `range` in the memory of the frame that made a call; in the transaction's input if there is none.
fn input<'a>(below: &'a [Frame], outermost: &'a [u8], range: Range) -> &'a [u8] {
    match below.last() {
        Some(caller) => caller.memory.get(range),
        None => &outermost[range.start..range.start + range.len],
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

impl Engine {
    /// Makes sure that there is a frame above `depth`, with this input.
    fn make_frame(&mut self, depth: usize, input: Range) {
        if self.frames.len() <= depth {
            self.frames.push(Frame::new());
        }
        self.frames[depth].input = input;
    }

    /// The input of the frame above `depth`.
    fn input<'a>(&'a self, depth: usize, outermost: &'a [u8]) -> &'a [u8] {
        input(&self.frames[..depth], outermost, self.frames[depth].input)
    }

    /// Gas left in the frame at `depth`; 0 where there is none.
    fn caller_gas(&self, depth: usize) -> u64 {
        depth
            .checked_sub(1)
            .map_or(0, |below| self.frames[below].gas)
    }

    fn run_precompile(
        &mut self,
        precompile: Precompile,
        depth: usize,
        outermost: &[u8],
        gas: u64,
    ) -> FrameEnd {
        let done = match precompile.run(self.input(depth, outermost), gas) {
            Ok(done) => done,
            Err(PrecompileFailure::OutOfGas) => return FrameEnd::halt(Halt::OutOfGas),
            Err(PrecompileFailure::InvalidInput) => return FrameEnd::halt(Halt::PrecompileFailed),
        };
        match gas.checked_sub(done.gas_used) {
            Some(gas_left) => {
                self.return_data.extend_from_slice(&done.output);
                FrameEnd::success(gas_left)
            }
            None => FrameEnd::halt(Halt::OutOfGas),
        }
    }

    /// Turns the output of init code into the contract's code.
    fn deploy(&mut self, contract: AccountId, gas: u64) -> FrameEnd {
        let code = &self.return_data;
        let price = CODE_DEPOSIT_BYTE.saturating_mul(code.len() as u64);
        let failed = if code.len() > MAX_CODE_LEN {
            // EIP-170: "contract initialization will fail".
            Some(Halt::CodeTooLarge)
        } else if code.first() == Some(&0xef) {
            // EIP-3541: "contract creation will fail if the first byte is 0xEF".
            Some(Halt::CodeBeginsWithEf)
        } else {
            (price > gas).then_some(Halt::OutOfGas)
        };
        if let Some(halt) = failed {
            self.return_data.clear();
            return FrameEnd::halt(halt);
        }
        let code = Bytes::copy_from_slice(code);
        self.journal.set_code(contract, code);
        FrameEnd::success(gas - price)
    }
}
