//! The options that concern peers, and what they come to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use cairn_genesis::{ChainSpec, Difficulty};
use clap::Args;
use clap::builder::FalseyValueParser;

use crate::network::service::{
    DEFAULT_MAX_PEERS, DEFAULT_PORT, Link, NetworkConfig, check_address,
};

/// Options for the network.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    /// Where peers reach this node, over TCP and QUIC on one port; port 0 is any free one
    /// [default: 0.0.0.0:30303, or 127.0.0.1:30303 where blocks cost no work; `dev`: no network]
    #[arg(long, env = "CAIRN_P2P_LISTEN", value_name = "HOST:PORT")]
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
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub max_peers: u16,

    /// Take part in no network, whatever else is said: no port is opened, nobody is called
    #[arg(long, env = "CAIRN_NO_P2P", value_parser = FalseyValueParser::new())]
    pub no_p2p: bool,

    /// Do not look for nodes of a private chain on the local network
    #[arg(long, env = "CAIRN_NO_MDNS", value_parser = FalseyValueParser::new())]
    pub no_mdns: bool,

    /// For experiments: let what peers send arrive so many milliseconds later
    #[arg(long, env = "CAIRN_LINK_LATENCY", value_name = "MS", default_value_t = 0,
          value_parser = clap::value_parser!(u64).range(0..=10_000))]
    pub link_latency: u64,

    /// For experiments: lose this share of announced blocks and transactions
    #[arg(long, env = "CAIRN_LINK_LOSS", value_name = "PERCENT", default_value_t = 0,
          value_parser = clap::value_parser!(u8).range(0..=99))]
    pub link_loss: u8,
}

impl NetworkArgs {
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
    fn nodes_are_looked_for_where_they_can_answer() {
        let mdns = |line| config(line).unwrap().mdns;
        assert!(mdns("cairn run"));
        assert!(!mdns("cairn run --no-mdns"));
        assert!(!mdns("cairn run --p2p 127.0.0.1:1"));
    }
}
