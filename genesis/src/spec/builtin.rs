//! The chains that every node knows.

use std::sync::LazyLock;

use super::ChainSpec;

/// Names, in the order in which they are listed.
const NAMES: [&str; 3] = ["dev", "devnet", "testnet"];

static CHAINS: LazyLock<[ChainSpec; 3]> = LazyLock::new(|| {
    [
        include_str!("../../chains/dev.json"),
        include_str!("../../chains/devnet.json"),
        include_str!("../../chains/testnet.json"),
    ]
    .map(|json| ChainSpec::from_json(json).expect("a test reads every built-in chain"))
});

impl ChainSpec {
    /// The built-in chain of this name.
    pub fn builtin(name: &str) -> Option<&'static Self> {
        CHAINS.iter().find(|spec| spec.name == name)
    }

    /// Names of the built-in chains.
    pub fn builtin_names() -> &'static [&'static str] {
        &NAMES
    }
}
