//! `cairn run` and `cairn dev`.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cairn_genesis::ChainSpec;
use cairn_miner::{MAX_THREADS, Share};

use super::args::{DevArgs, LogFormat, NodeArgs, RunArgs};
use super::signals::StopSignals;
use super::{banner, load_spec, logging};
use crate::mining::Mode;
use crate::node::{Node, NodeConfig, is_development, native_account};
use crate::rpc::RpcConfig;
use crate::rpc::guard::AllowList;

/// How long requests that still compute after the server has stopped are waited for.
const LAST_REQUESTS: Duration = Duration::from_millis(500);

/// `cairn run`.
pub fn run(args: RunArgs) -> Result<(), String> {
    let spec = load_spec(&args.chain)?;
    start(spec, args.mine, args.node, true)
}

/// `cairn dev`.
pub fn dev(args: DevArgs) -> Result<(), String> {
    let spec = load_spec("dev")?;
    let mode = match args.block_time {
        Some(seconds) => Mode::Interval(Duration::from_secs(seconds)),
        None => Mode::OnTransaction,
    };
    start(spec, mode, args.node, false)
}

/// `~/.cairn/<chain name>`, or what the user chose.
pub fn datadir(chosen: Option<&PathBuf>, spec: &ChainSpec) -> Result<PathBuf, String> {
    if let Some(chosen) = chosen {
        return Ok(chosen.clone());
    }
    let home = std::env::home_dir()
        .ok_or("there is no home directory; say where the data goes with --datadir DIR")?;
    Ok(home.join(".cairn").join(&spec.name))
}

fn start(
    spec: Arc<ChainSpec>,
    mode: Mode,
    args: NodeArgs,
    has_network: bool,
) -> Result<(), String> {
    let format = args.log_format;
    logging::start(format, &args.log);
    let config = config(spec, mode, args, has_network)?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| format!("the runtime cannot start: {error}"))?;
    let result = runtime.block_on(serve(config, format));
    runtime.shutdown_timeout(LAST_REQUESTS);
    result
}

async fn serve(config: NodeConfig, format: LogFormat) -> Result<(), String> {
    let mut signals =
        StopSignals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
    let node = Node::start(config.clone())
        .await
        .map_err(|error| error.to_string())?;
    announce(&node, &config, format);
    let stop = async {
        signals.wait().await;
        tracing::info!("stopping; a second Ctrl-C does not wait");
    };
    node.run(stop).await.map_err(|error| error.to_string())?;
    tracing::info!("stopped; everything is on disk");
    Ok(())
}

fn announce(node: &Node, config: &NodeConfig, format: LogFormat) {
    match format {
        LogFormat::Human => {
            // A closed stdout is no reason not to run.
            let text = banner::text(node, config, node.start_height());
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
        LogFormat::Json => tracing::info!(
            chain = config.spec.name,
            chain_id = config.spec.chain_id,
            genesis = %config.spec.genesis_hash(),
            rpc = %node.rpc_address(),
            datadir = %config.datadir.display(),
            mining = config.mode.name(),
            peer = node.network_address(),
            height = node.start_height(),
            "started"
        ),
    }
}

fn config(
    spec: Arc<ChainSpec>,
    mode: Mode,
    args: NodeArgs,
    has_network: bool,
) -> Result<NodeConfig, String> {
    let beneficiary = args
        .mine_to
        .or_else(|| is_development(&spec).then(native_account));
    let share = Share::from_percent(args.mine_share)
        .ok_or("--mine-share takes a whole number from 1 to 100")?;
    let mut rpc = RpcConfig::new(args.rpc);
    rpc.origins = AllowList::parse(&args.rpc_cors);
    rpc.hosts = AllowList::parse(&args.rpc_hosts);
    Ok(NodeConfig {
        datadir: datadir(args.datadir.as_ref(), &spec)?,
        mode,
        beneficiary,
        threads: threads(args.threads),
        share,
        rpc,
        network: args.network.config(&spec, has_network),
        spec,
    })
}

/// The threads asked for, or half of the processor's: the other half is left to the node itself and
/// to everything else.
fn threads(chosen: Option<usize>) -> NonZeroUsize {
    let all = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = chosen.unwrap_or_else(|| (all() / 2).min(MAX_THREADS));
    NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN)
}
