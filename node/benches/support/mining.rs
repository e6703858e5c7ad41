//! What benchmarks do with a core to make blocks.

use cairn_genesis::{ChainSpec, SEAL_VERSION, Seal, VerifiedBlock};
use cairn_node::chain::Template;
use cairn_node::core::{Action, Answer};

/// The answer among the actions.
pub fn answer(actions: Vec<Action>) -> Answer {
    actions
        .into_iter()
        .find_map(|action| match action {
            Action::Answer(answer) => Some(answer),
            _ => None,
        })
        .expect("an answer")
}

/// Finds a nonce.
pub fn seal(spec: &ChainSpec, template: &Template) -> VerifiedBlock {
    (0..)
        .find_map(|nonce| {
            let seal = Seal {
                version: SEAL_VERSION,
                time: template.header.timestamp as u32,
                nonce,
                extranonce: [0; 12],
            };
            template.seal(spec, seal).ok()
        })
        .expect("an easy target is met soon")
}
