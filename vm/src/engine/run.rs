//! The loop over frames: runs the topmost one until it begins or ends something.

use alloy_primitives::U256;

use super::{Create, Engine, OWN, Run, begin::Begun, input};
use crate::{
    State, Status,
    frame::{Frame, FrameEnd, Kind},
    instructions::call::Call,
    interpreter::{self, Exit, World},
    memory::Range,
    trace::Tracer,
};

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
                engine.init_code.give_back(program);
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
