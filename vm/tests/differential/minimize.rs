//! Makes a case that shows a difference smaller, as long as it still does.

use std::sync::Arc;

use alloy_primitives::Bytes;

use crate::case::Case;

/// JUMPDEST: takes the place of what is left out, so that nothing else moves.
const NOTHING: u8 = 0x5b;

/// Tries that are made.
const MAX_TRIES: usize = 4_000;

/// A smaller case for which `shows` still holds.
pub fn minimize(case: &Case, shows: impl Fn(&Case) -> bool) -> Case {
    let mut search = Search {
        best: case.clone(),
        shows,
        tries: 0,
    };
    for index in 0..case.world.accounts.len() {
        search.code(
            |case| code_of(case, index),
            |case, code| set_code(case, index, code),
        );
    }
    search.code(
        |case| case.tx.input.to_vec(),
        |case, code| case.tx.input = code.into(),
    );
    search.best
}

struct Search<F> {
    best: Case,
    shows: F,
    tries: usize,
}

fn code_of(case: &Case, index: usize) -> Vec<u8> {
    case.world.accounts[index].code.to_vec()
}

fn set_code(case: &mut Case, index: usize, code: Vec<u8>) {
    let account = &mut Arc::make_mut(&mut case.world).accounts[index];
    *account = account.clone().with_code(Bytes::from(code));
}

impl<F: Fn(&Case) -> bool> Search<F> {
    fn try_one(&mut self, set: impl FnOnce(&mut Case)) -> bool {
        self.tries += 1;
        let mut case = self.best.clone();
        set(&mut case);
        let better = self.tries < MAX_TRIES && (self.shows)(&case);
        if better {
            self.best = case;
        }
        better
    }

    /// Leaves out of one code what can be left out: all, the end, pieces.
    fn code(&mut self, get: impl Fn(&Case) -> Vec<u8>, set: impl Fn(&mut Case, Vec<u8>)) {
        if get(&self.best).is_empty() || self.try_one(|case| set(case, Vec::new())) {
            return;
        }
        let mut piece = get(&self.best).len().div_ceil(2);
        loop {
            let shorter = |code: &[u8]| code[..code.len().saturating_sub(piece)].to_vec();
            while get(&self.best).len() > piece
                && self.try_one(|case| set(case, shorter(&get(case))))
            {}
            let len = get(&self.best).len();
            for start in (0..len).step_by(piece) {
                let mut code = get(&self.best);
                let end = (start + piece).min(code.len());
                if start < end && code[start..end].iter().any(|byte| *byte != NOTHING) {
                    code[start..end].fill(NOTHING);
                    self.try_one(|case| set(case, code));
                }
            }
            if piece == 1 {
                return;
            }
            piece = piece.div_ceil(2);
        }
    }
}
