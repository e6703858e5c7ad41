//! Every command, option and environment variable of `cairn`.

use std::net::SocketAddr;
use std::path::PathBuf;

use alloy_primitives::Address;
use cairn_miner::MAX_THREADS;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use super::address;
use super::logging::Filter;
use super::network::NetworkArgs;
use super::node_url::{DEFAULT_URL, NodeUrl};
use super::spec::{self, Fund};
use super::value::{listen_address, name_variable, number};
use crate::mining::Mode;
use crate::network::service::{check_address, check_ban, check_peer};

/// A proof-of-work blockchain node that every Ethereum tool can talk to.
#[derive(Debug, Parser)]
#[command(
    name = "cairn",
    version,
    after_help = "First steps:\n  \
        cairn dev                           a private chain that mines when you send something\n  \
        cairn run --chain devnet --mine     real proof of work, a block every 2 seconds\n  \
        cairn-wallet --help                 keys, payments, balances\n\n\
        Exit codes: 0 done, 1 failed, 2 wrong usage, 130 a second Ctrl-C."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line. If it is wrong the program ends with 2.
    pub fn read() -> Self {
        let cli =
            Self::try_parse().unwrap_or_else(|error| name_variable(error, Self::command()).exit());
        if let Some((kind, sentence)) = cli.contradiction() {
            Self::command().error(kind, sentence).exit();
        }
        cli
    }

    /// What does not go together, although each value is right.
    fn contradiction(&self) -> Option<(ErrorKind, String)> {
        match &self.command {
            Command::Spec(SpecArgs {
                command: SpecCommand::New { funds, .. },
            }) => {
                let address = Fund::repeated(funds)?;
                let sentence =
                    format!("--fund names {address} twice: give each address one amount");
                Some((ErrorKind::ArgumentConflict, sentence))
            }
            Command::Dev(args) => {
                let option = args.node.network.without_network()?;
                let sentence = format!(
                    "{option} is for a network, and `cairn dev` takes part in one only if it is told where to listen: add --p2p HOST:PORT"
                );
                Some((ErrorKind::MissingRequiredArgument, sentence))
            }
            _ => None,
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a node on any chain
    Run(RunArgs),
    /// Run a private development chain that mines as soon as a transaction comes in
    Dev(DevArgs),
    /// Examine the database of a node that is not running
    Db(DbArgs),
    /// List, show and make chain specs
    Spec(SpecArgs),
    /// Ask a running node about its peers, and tell it whom to talk to
    Peer(PeerArgs),
}

/// Options that `run` and `dev` share.
#[derive(Debug, Args)]
pub struct NodeArgs {
    /// Directory of the database [default: ~/.cairn/<chain name>]
    #[arg(long, env = "CAIRN_DATADIR", value_name = "DIR")]
    pub datadir: Option<PathBuf>,

    /// Address that gets subsidies and fees [default on development chains: a test account]
    #[arg(long, env = "CAIRN_MINE_TO", value_name = "ADDRESS", value_parser = address::parse)]
    pub mine_to: Option<Address>,

    /// Threads that mine [default: half of the processor's]
    #[arg(long, env = "CAIRN_THREADS", value_name = "N",
          value_parser = number::<usize>(1, MAX_THREADS as u64))]
    pub threads: Option<usize>,

    /// Percent of the time in which each mining thread computes
    #[arg(long, env = "CAIRN_MINE_SHARE", value_name = "PERCENT", default_value_t = 100,
          value_parser = number::<u8>(1, 100))]
    pub mine_share: u8,

    /// Where JSON-RPC listens, HTTP and WebSocket on one port
    #[arg(
        long,
        env = "CAIRN_RPC_LISTEN",
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:8545",
        value_parser = listen_address("127.0.0.1:8545")
    )]
    pub rpc: SocketAddr,

    /// Web pages that may use JSON-RPC; `*` is every page
    #[arg(
        long,
        env = "CAIRN_RPC_CORS",
        value_name = "ORIGIN,…",
        default_value = "*"
    )]
    pub rpc_cors: String,

    /// Further host names by which JSON-RPC may be called, beside localhost and IP addresses
    #[arg(
        long,
        env = "CAIRN_RPC_HOSTS",
        value_name = "NAME,…",
        default_value = ""
    )]
    pub rpc_hosts: String,

    /// Peers.
    #[command(flatten)]
    pub network: NetworkArgs,

    /// How log lines look
    #[arg(
        long,
        env = "CAIRN_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "human"
    )]
    pub log_format: LogFormat,

    /// What is logged: error, warn, info, debug, trace, or rules such as `info,cairn_node::chain=debug`
    #[arg(long, env = "CAIRN_LOG", value_name = "FILTER", default_value = "info")]
    pub log: Filter,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// Arguments of `cairn run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Built-in chain (dev, devnet, testnet) or the path of a spec file
    #[arg(
        long,
        env = "CAIRN_CHAIN",
        value_name = "NAME|FILE",
        default_value = "devnet"
    )]
    pub chain: String,

    /// Mine: continuous (the default with a bare --mine), on-transaction, interval:SECONDS, off
    #[arg(long, env = "CAIRN_MINE", value_name = "MODE", num_args = 0..=1, require_equals = true,
          default_value = "off", default_missing_value = "continuous")]
    pub mine: Mode,

    /// What every node has.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Arguments of `cairn dev`.
#[derive(Debug, Args)]
pub struct DevArgs {
    /// Mine a block every so many seconds instead of one for each transaction
    #[arg(long, env = "CAIRN_BLOCK_TIME", value_name = "SECS",
          value_parser = number::<u64>(1, u64::MAX))]
    pub block_time: Option<u64>,

    /// What every node has.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Arguments of `cairn db`.
#[derive(Debug, Args)]
pub struct DbArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: DbCommand,
}

/// What can be asked of a database.
#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Walk from the tip to genesis, check every block, recompute the state root
    Check(DbTarget),
    /// Count keys and bytes by column
    Stats(DbTarget),
}

/// Which database.
#[derive(Debug, Args)]
pub struct DbTarget {
    /// Built-in chain or the path of a spec file
    #[arg(
        long,
        env = "CAIRN_CHAIN",
        value_name = "NAME|FILE",
        default_value = "devnet"
    )]
    pub chain: String,

    /// Directory of the database [default: ~/.cairn/<chain name>]
    #[arg(long, env = "CAIRN_DATADIR", value_name = "DIR")]
    pub datadir: Option<PathBuf>,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `cairn peer`.
#[derive(Debug, Args)]
pub struct PeerArgs {
    /// JSON-RPC of the node to ask: a URL, or HOST:PORT
    #[arg(
        long,
        env = "CAIRN_RPC",
        value_name = "URL",
        default_value = DEFAULT_URL,
        global = true
    )]
    pub rpc: NodeUrl,

    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: PeerCommand,
}

/// What can be asked about peers, and told.
#[derive(Debug, Subcommand)]
pub enum PeerCommand {
    /// Tell why there is no connection with the node at an address: unreachable, on another
    /// chain (and which field differs), banned, full
    Why {
        /// Its address: /ip4/IP/tcp/PORT or /ip4/IP/tcp/PORT/p2p/ID
        #[arg(value_name = "MULTIADDR", value_parser = check_address)]
        address: String,
    },
    /// List the connected peers: address, who called whom, height, program
    List,
    /// Stay connected with a node
    Add {
        /// Its address, as it shows it when it starts
        #[arg(value_name = "MULTIADDR", value_parser = check_address)]
        address: String,
    },
    /// Leave a peer and do not call it again
    Remove {
        /// Its peer id or address
        #[arg(value_name = "PEER", value_parser = check_peer)]
        peer: String,
    },
    /// List who is banned, why and until when
    Bans,
    /// Let somebody who is banned connect again
    Unban {
        /// Peer id or IP address
        #[arg(value_name = "PEER|IP", value_parser = check_ban)]
        subject: String,
    },
}

/// Arguments of `cairn spec`.
#[derive(Debug, Args)]
pub struct SpecArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SpecCommand,
}

/// What can be done with chain specs.
#[derive(Debug, Subcommand)]
pub enum SpecCommand {
    /// List the built-in chains
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the spec of a chain as JSON
    Show {
        /// Built-in chain or the path of a spec file
        chain: String,
    },
    /// Write a spec for a chain of your own, derived from another
    New {
        /// Name of the new chain
        #[arg(value_parser = spec::new_name)]
        name: String,
        /// Chain id of the new chain: choose one that nobody uses
        #[arg(long, value_name = "ID", value_parser = spec::new_chain_id)]
        chain_id: u64,
        /// Chain to derive from
        #[arg(long, value_name = "NAME|FILE", default_value = "devnet")]
        from: String,
        /// Fund an address, in coins: ADDRESS=AMOUNT (replaces the accounts of the other chain)
        #[arg(long = "fund", value_name = "ADDRESS=AMOUNT")]
        funds: Vec<Fund>,
        /// File to write; it must not exist yet [default: <name>.json]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}
