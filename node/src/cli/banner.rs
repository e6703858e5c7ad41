//! What a person sees first.

use std::fmt::Write;

use alloy_primitives::Address;
use cairn_genesis::ChainSpec;

use crate::mining::Mode;
use crate::network::service::Link;
use crate::node::{Node, NodeConfig, dev_accounts, is_development, native_account};

/// The text at the start of a node.
pub fn text(node: &Node, config: &NodeConfig, height: u64) -> String {
    let spec = &config.spec;
    let mut out = String::new();
    let mut line = |name: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {name:<10} {value}");
    };
    line(
        "Cairn",
        format!(
            "{} · chain `{}` (chain id {}) at block {height}",
            env!("CARGO_PKG_VERSION"),
            spec.name,
            spec.chain_id
        ),
    );
    line(
        "RPC",
        format!("http://{0}  and  ws://{0}", node.rpc_address()),
    );
    match node.network_address() {
        Some(address) => line("Peers", format!("reach it at {address}")),
        None => line("Peers", "none: it takes part in no network".into()),
    }
    if let Some(link) = config.network.as_ref().map(|network| network.link)
        && !link.is_plain()
    {
        line("Link", worse(link));
    }
    line("Data", config.datadir.display().to_string());
    line("Mining", mining(config));
    if is_development(spec) {
        accounts(spec, &mut line);
    }
    line("Stop", "Ctrl-C".into());
    format!("\n{out}\n")
}

fn worse(link: Link) -> String {
    let (latency_ms, loss_percent) = (link.latency_ms, link.loss_percent);
    format!("made worse on purpose: {latency_ms} ms later, {loss_percent} % of announcements lost")
}

fn mining(config: &NodeConfig) -> String {
    let threads = config.threads;
    let how = match config.mode {
        Mode::Off => return "off (add --mine to look for blocks)".into(),
        Mode::Continuous => "without pause".into(),
        Mode::OnTransaction => "a block as soon as a transaction comes in".into(),
        Mode::Interval(span) => format!("a block every {} s", span.as_secs()),
    };
    let to = config.beneficiary.unwrap_or_default();
    let whose = match to == native_account() {
        true => " (test account)",
        false => "",
    };
    format!("{how}, {threads} thread(s); rewards go to {to}{whose}")
}

fn accounts(spec: &ChainSpec, line: &mut impl FnMut(&str, String)) {
    let balance = |address: Address| {
        let coin = alloy_primitives::U256::from(10).pow(alloy_primitives::U256::from(18));
        let account = spec.alloc.get(&address);
        account.map_or_else(
            || "0".into(),
            |account| (account.balance / coin).to_string(),
        )
    };
    let [first, second, ..] = dev_accounts();
    line(
        "Accounts",
        format!(
            "{} coins each, from the public test mnemonic \"test test … junk\":",
            balance(first.address)
        ),
    );
    line(
        "",
        format!("{}  secp256k1 (MetaMask, cast, ethers)", first.address),
    );
    line("", format!("  key {}", first.key));
    line("", format!("{}  ed25519 (cairn-wallet)", native_account()));
    line(
        "Try next",
        "in a second terminal, with the test mnemonic as your wallet:".into(),
    );
    line("", "echo \"test test test test test test test test test test test junk\" | cairn-wallet restore".into());
    line("", format!("cairn-wallet send {} 1.5", second.address));
}
