//! `docs/rpc.md` names every method, and none that does not exist.

use std::collections::BTreeSet;

use super::fixture::Node;

const DOCUMENT: &str = include_str!("../../../../docs/rpc.md");
const NAMESPACES: [&str; 8] = [
    "admin_",
    "web3_",
    "net_",
    "eth_",
    "txpool_",
    "debug_",
    "personal_",
    "cairn_",
];

#[tokio::test]
async fn every_method_is_documented() {
    let node = Node::start();
    let methods: BTreeSet<&str> = node.methods().into_iter().collect();
    let in_backticks = DOCUMENT.split('`').skip(1).step_by(2);
    let is_method = |text: &&str| {
        let name = NAMESPACES.iter().find_map(|space| text.strip_prefix(space));
        name.is_some_and(|name| !name.is_empty())
    };
    let named = in_backticks.filter(is_method);
    let documented: BTreeSet<&str> = named.collect();
    assert_eq!(documented, methods);
}
