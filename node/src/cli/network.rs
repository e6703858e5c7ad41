//! The options that concern peers, and what they come to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use cairn_genesis::{ChainSpec, Difficulty};
use clap::Args;
use clap::builder::FalseyValueParser;

use super::value::{listen_address, number};
use crate::network::service::{
    DEFAULT_MAX_PEERS, DEFAULT_PORT, Link, NetworkConfig, check_address,
};

/// Options for the network.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    /// Where peers reach this node, over TCP and QUIC on one port; port 0 is any free one
    /// [default: 0.0.0.0:30303, or 127.0.0.1:30303 where blocks cost no work; `dev`: no network,
    /// and --peer and the like are refused without this]
    #[arg(long, env = "CAIRN_P2P_LISTEN", value_name = "HOST:PORT",
          value_parser = listen_address("127.0.0.1:30303"))]
    pub p2p: Option<SocketAddr>,

    /// A node to stay connected with: /ip4/IP/tcp/PORT, or better with /p2p/ID at its end; can
    /// be given several times. Every node shows its own address when it starts
    #[arg(
        long = "peer",
        env = "CAIRN_PEERS",
        value_name = "MULTIADDR",
        value_delimiter = ',',
        value_parser = check_address
    )]
    pub peers: Vec<String>,

    /// Talk to the nodes named by --peer, and to nobody else
    #[arg(long, env = "CAIRN_ONLY_PEERS", value_parser = FalseyValueParser::new())]
    pub only_peers: bool,

    /// Most peers at the same time
    #[arg(long, env = "CAIRN_MAX_PEERS", value_name = "N", default_value_t = DEFAULT_MAX_PEERS as u16,
          value_parser = number::<u16>(1, 1000))]
    pub max_peers: u16,

    /// Take part in no network, whatever else is said: no port is opened, nobody is called
    #[arg(long, env = "CAIRN_NO_P2P", value_parser = FalseyValueParser::new())]
    pub no_p2p: bool,

    /// Do not look for nodes of a private chain on the local network
    #[arg(long, env = "CAIRN_NO_MDNS", value_parser = FalseyValueParser::new())]
    pub no_mdns: bool,

    /// For experiments: let what peers send arrive so many milliseconds later
    #[arg(long, env = "CAIRN_LINK_LATENCY", value_name = "MS", default_value_t = 0,
          value_parser = number::<u64>(0, 10_000))]
    pub link_latency: u64,

    /// For experiments: lose this share of announced blocks and transactions
    #[arg(long, env = "CAIRN_LINK_LOSS", value_name = "PERCENT", default_value_t = 0,
          value_parser = number::<u8>(0, 99))]
    pub link_loss: u8,
}

impl NetworkArgs {
    /// An option that asks something of the network, where `dev` has none.
    pub fn without_network(&self) -> Option<&'static str> {
        if self.no_p2p || self.p2p.is_some() {
            return None;
        }
        let asked = [
            (!self.peers.is_empty(), "--peer (CAIRN_PEERS)"),
            (self.only_peers, "--only-peers (CAIRN_ONLY_PEERS)"),
            (
                usize::from(self.max_peers) != DEFAULT_MAX_PEERS,
                "--max-peers (CAIRN_MAX_PEERS)",
            ),
            (
                self.link_latency != 0,
                "--link-latency (CAIRN_LINK_LATENCY)",
            ),
            (self.link_loss != 0, "--link-loss (CAIRN_LINK_LOSS)"),
        ];
        let mut asked = asked.into_iter().filter(|(is_asked, _)| *is_asked);
        asked.next().map(|(_, option)| option)
    }

    /// How a node takes part in the network, if it does. `run` does unless told otherwise,
    /// `dev` if told where to listen.
    pub fn config(self, spec: &ChainSpec, by_default: bool) -> Option<NetworkConfig> {
        if self.no_p2p || !(by_default || self.p2p.is_some()) {
            return None;
        }
        let listen = self.p2p.unwrap_or_else(|| default_address(spec));
        Some(NetworkConfig {
            listen,
            any_port: self.p2p.is_none(),
            peers: self.peers,
            only_peers: self.only_peers,
            max_peers: usize::from(self.max_peers),
            // Who only this machine can reach has nobody to be found by.
            mdns: !self.no_mdns && !listen.ip().is_loopback(),
            link: Link {
                latency_ms: self.link_latency,
                loss_percent: self.link_loss,
            },
        })
    }
}

/// A chain whose blocks cost no work is for one machine: any stranger could outrun it.
fn default_address(spec: &ChainSpec) -> SocketAddr {
    let ip = match spec.difficulty {
        Difficulty::Fixed(_) => Ipv4Addr::LOCALHOST,
        Difficulty::Asert(_) => Ipv4Addr::UNSPECIFIED,
    };
    SocketAddr::new(IpAddr::V4(ip), DEFAULT_PORT)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::args::{Cli, Command};
    use super::*;

    fn config(line: &str) -> Option<NetworkConfig> {
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        match cli.command {
            Command::Run(args) => {
                let spec = ChainSpec::builtin(&args.chain).unwrap();
                args.node.network.config(spec, true)
            }
            Command::Dev(args) => {
                let spec = ChainSpec::builtin("dev").unwrap();
                args.node.network.config(spec, false)
            }
            _ => panic!("another command"),
        }
    }

    #[test]
    fn run_has_a_network_and_dev_has_one_on_request() {
        let listen = |line| config(line).map(|config| config.listen.to_string());
        assert_eq!(listen("cairn run").as_deref(), Some("0.0.0.0:30303"));
        assert_eq!(
            listen("cairn run --chain dev").as_deref(),
            Some("127.0.0.1:30303")
        );
        assert_eq!(listen("cairn run --no-p2p"), None);
        assert_eq!(listen("cairn dev"), None);
        assert_eq!(
            listen("cairn dev --p2p 127.0.0.1:0").as_deref(),
            Some("127.0.0.1:0")
        );
        assert!(config("cairn run").unwrap().any_port);
        assert!(!config("cairn run --p2p 0.0.0.0:30303").unwrap().any_port);
        assert_eq!(listen("cairn run --no-p2p --p2p 127.0.0.1:1"), None);
    }

    #[test]
    fn dev_refuses_what_only_a_network_can_do() {
        let without = |line: &str| {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let Command::Dev(args) = cli.command else {
                panic!("another command");
            };
            args.node.network.without_network()
        };
        let peer = "--peer /ip4/127.0.0.1/tcp/1";
        for option in [
            peer,
            "--only-peers",
            "--max-peers 3",
            "--link-latency 5",
            "--link-loss 1",
        ] {
            let named = without(&format!("cairn dev {option}")).unwrap();
            let name = option.split(' ').next().unwrap();
            assert!(named.starts_with(name), "{named}");
        }
        for fine in ["", " --no-mdns", " --p2p 127.0.0.1:0", " --no-p2p"] {
            assert_eq!(without(&format!("cairn dev{fine}")), None, "{fine}");
        }
        for fine in ["--p2p 127.0.0.1:0", "--no-p2p"] {
            assert_eq!(without(&format!("cairn dev {peer} {fine}")), None, "{fine}");
        }
    }

    #[test]
    fn values_are_explained() {
        for (line, words) in [
            (
                "--p2p 30303",
                "write HOST:PORT, for example 127.0.0.1:30303",
            ),
            ("--max-peers 0", "write a whole number from 1 to 1000"),
            ("--link-latency x", "write a whole number from 0 to 10000"),
            ("--link-loss 100", "write a whole number from 0 to 99"),
        ] {
            let line = format!("cairn run {line}");
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
        let named = config("cairn run --p2p localhost:30303").unwrap().listen;
        assert_eq!(named.to_string(), "127.0.0.1:30303");
    }

    #[test]
    fn nodes_are_looked_for_where_they_can_answer() {
        let mdns = |line| config(line).unwrap().mdns;
        assert!(mdns("cairn run"));
        assert!(!mdns("cairn run --no-mdns"));
        assert!(!mdns("cairn run --p2p 127.0.0.1:1"));
    }
}
