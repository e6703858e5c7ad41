//! What a person sees first.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use alloy_primitives::Address;
use cairn_genesis::ChainSpec;

use crate::mining::Mode;
use crate::network::service::Link;
use crate::node::{Node, NodeConfig, dev_accounts, is_development, native_account};

/// The public test mnemonic.
const WORDS: &str = "test test test test test test test test test test test junk";

/// The program that holds keys.
const WALLET: &str = "cairn-wallet";

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
        let has_network = node.network_address().is_some();
        let steps = next_steps(node.rpc_address(), config.mode, has_network, &wallet());
        let names = std::iter::once("Try next").chain(std::iter::repeat(""));
        names.zip(steps).for_each(|(name, step)| line(name, step));
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
    let first = dev_accounts()[0];
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
}

/// What to do in a second terminal. Nothing that cannot work: a payment waits for ever where nobody
/// mines.
fn next_steps(rpc: SocketAddr, mode: Mode, has_network: bool, wallet: &str) -> Vec<String> {
    let mut lines = vec![
        "in a second terminal, with the test mnemonic as your wallet:".to_owned(),
        format!("echo \"{WORDS}\" | {wallet} restore --name dev0"),
    ];
    let to = dev_accounts()[1].address;
    let rpc = rpc_option(rpc);
    lines.push(match mode {
        Mode::Off => format!("{wallet} balance{rpc}"),
        _ => format!("{wallet} send {to} 1.5{rpc}"),
    });
    if mode == Mode::Off {
        let peer = format!(" or is connected with one that does (cairn peer add MULTIADDR{rpc})");
        let peer = if has_network { &peer } else { "" };
        lines.push(format!(
            "payments wait until this node mines (start it with --mine){peer}"
        ));
    }
    lines
}

/// The wallet's option for a node that does not listen where the wallet looks first.
fn rpc_option(mut address: SocketAddr) -> String {
    let every = match address.ip() {
        IpAddr::V4(ip) => ip.is_unspecified().then_some(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) => ip.is_unspecified().then_some(Ipv6Addr::LOCALHOST.into()),
    };
    address.set_ip(every.unwrap_or(address.ip()));
    match address.to_string().as_str() {
        "127.0.0.1:8545" => String::new(),
        address => format!(" --rpc http://{address}"),
    }
}

/// How the wallet is called from a shell: by its name if that is found, else by the path of the one
/// beside this program.
fn wallet() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_found = std::env::split_paths(&path).any(|dir| dir.join(WALLET).is_file());
    let beside = || {
        let path = std::env::current_exe().ok()?.with_file_name(WALLET);
        path.is_file().then(|| path.display().to_string())
    };
    let unfound = (!is_found).then(beside).flatten();
    unfound.unwrap_or_else(|| WALLET.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(rpc: &str, mode: Mode, has_network: bool) -> String {
        next_steps(rpc.parse().unwrap(), mode, has_network, "/bin/cairn-wallet").join("\n")
    }

    #[test]
    fn what_is_suggested_works_where_the_node_listens() {
        for usual in ["127.0.0.1:8545", "0.0.0.0:8545"] {
            let steps = steps(usual, Mode::Continuous, true);
            assert!(steps.contains("junk\" | /bin/cairn-wallet restore --name dev0\n"));
            assert!(steps.ends_with(" 1.5"), "{steps}");
        }
        for (rpc, url) in [
            ("127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("0.0.0.0:9000", "http://127.0.0.1:9000"),
            ("[::]:8545", "http://[::1]:8545"),
        ] {
            let steps = steps(rpc, Mode::Continuous, true);
            assert!(steps.ends_with(&format!(" 1.5 --rpc {url}")), "{steps}");
        }
    }

    #[test]
    fn nobody_is_told_to_send_where_nobody_mines() {
        for has_network in [true, false] {
            let steps = steps("127.0.0.1:9000", Mode::Off, has_network);
            assert!(
                !steps.contains("send") && steps.contains("--mine"),
                "{steps}"
            );
            let peer = "cairn peer add MULTIADDR --rpc http://127.0.0.1:9000";
            assert_eq!(steps.contains(peer), has_network, "{steps}");
        }
    }
}
