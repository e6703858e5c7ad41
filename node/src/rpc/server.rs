//! The listening side: one port for HTTP and WebSocket, its limits, and who may ask.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use jsonrpsee::core::middleware::RpcServiceBuilder;
use jsonrpsee::core::traits::IdProvider;
use jsonrpsee::server::{BatchRequestConfig, PingConfig, Server, ServerConfig, ServerHandle};
use jsonrpsee::types::SubscriptionId;
use tokio::net::TcpListener;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use super::context::RpcContext;
use super::eth;
use super::guard::{AllowList, GuardLayer, Guards};
use super::methods;
use super::push::PushGuard;

/// A transaction is at most 128 KiB, 256 KiB in hex: room for a batch of twenty.
const MAX_REQUEST_BYTES: u32 = 5 * 1024 * 1024;
/// A full block of small transactions grows tenfold in JSON; one of data doubles.
const MAX_RESPONSE_BYTES: u32 = 64 * 1024 * 1024;
/// geth's limit. The answers of a batch share [`MAX_RESPONSE_BYTES`].
const MAX_BATCH: u32 = 1000;
/// Answers that wait for a slow WebSocket reader before its requests wait too.
const WEBSOCKET_BUFFER: u32 = 256;
/// Subscriptions of one WebSocket. Each is a task that looks at every new block.
const MAX_SUBSCRIPTIONS: u32 = 64;
/// A WebSocket that does not answer a ping for this long is closed.
const WEBSOCKET_IDLE: Duration = Duration::from_secs(90);
/// What open requests get to end in when the server stops. Nothing that waits takes that long
/// then; what takes longer computes, or belongs to a client that does not read.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// Where to listen and for whom.
#[derive(Debug, Clone)]
pub struct RpcConfig {
    /// Address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// Web pages that browsers may let ask (CORS, and `Origin` of WebSockets).
    pub origins: AllowList,
    /// Host names, beyond `localhost` and IP addresses, by which the node may be addressed.
    pub hosts: AllowList,
    /// Connections at once, HTTP keep-alive ones included; a further one gets HTTP 429.
    pub max_connections: u32,
}

impl RpcConfig {
    /// The defaults: every page may ask, no further host name, 500 connections.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            origins: AllowList::everything(),
            hosts: AllowList::default(),
            max_connections: 500,
        }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another program listens there.
    #[error(
        "the RPC address {0} is already in use: stop the program that listens there (another node?), or choose another port with --rpc HOST:PORT"
    )]
    InUse(SocketAddr),
    /// The operating system refused for another reason.
    #[error(
        "cannot listen for RPC on {address}: {source}; choose another address with --rpc HOST:PORT"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        source: io::Error,
    },
}

impl ServeError {
    fn new(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse(address),
            _ => Self::Listen { address, source },
        }
    }
}

/// A running server. Dropping it stops it; [`RpcServer::stop`] also waits.
#[derive(Debug)]
pub struct RpcServer {
    address: SocketAddr,
    handle: ServerHandle,
}

/// A port that is ours and where nobody answers yet.
#[derive(Debug)]
pub struct RpcListener {
    config: RpcConfig,
    address: SocketAddr,
    listener: std::net::TcpListener,
}

impl RpcListener {
    /// Binds the port.
    ///
    /// # Errors
    /// [`ServeError`] when the address cannot be had.
    pub async fn bind(config: RpcConfig) -> Result<Self, ServeError> {
        let fail = |source| ServeError::new(config.address, source);
        let listener = TcpListener::bind(config.address).await.map_err(fail)?;
        Ok(Self {
            address: listener.local_addr().map_err(fail)?,
            listener: listener.into_std().map_err(fail)?,
            config,
        })
    }

    /// Starts to answer, on the current tokio runtime.
    ///
    /// # Errors
    /// [`ServeError`] when the runtime cannot have the port.
    pub fn serve(self, context: RpcContext) -> Result<RpcServer, ServeError> {
        let Self {
            config,
            address,
            listener,
        } = self;
        let layers = tower::ServiceBuilder::new()
            .layer(GuardLayer::new(Guards {
                hosts: config.hosts,
                origins: config.origins.clone(),
            }))
            .layer(cors(&config.origins));
        let server = Server::builder()
            .set_config(limits(config.max_connections))
            .set_http_middleware(layers)
            .set_rpc_middleware(RpcServiceBuilder::new().layer_fn(PushGuard))
            .build_from_tcp(listener)
            .map_err(|source| ServeError::new(config.address, source))?;
        let handle = server.start(methods::all(context));
        Ok(RpcServer { address, handle })
    }
}

impl RpcServer {
    /// The address bound, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no further request.
    pub fn close(&self) {
        // The only error says that the server has stopped already.
        let _ = self.handle.stop();
    }

    /// Takes no further request and waits until the open ones are answered, half a second at
    /// most.
    pub async fn stop(self) {
        self.close();
        if tokio::time::timeout(STOP_GRACE, self.handle.stopped())
            .await
            .is_err()
        {
            tracing::debug!("some requests were not answered");
        }
    }
}

fn limits(max_connections: u32) -> ServerConfig {
    ServerConfig::builder()
        .max_request_body_size(MAX_REQUEST_BYTES)
        .max_response_body_size(MAX_RESPONSE_BYTES)
        .max_connections(max_connections)
        .set_batch_request_config(BatchRequestConfig::Limit(MAX_BATCH))
        .set_message_buffer_capacity(WEBSOCKET_BUFFER)
        .max_subscriptions_per_connection(MAX_SUBSCRIPTIONS)
        .set_id_provider(HexIds)
        .enable_ws_ping(PingConfig::new().inactive_limit(WEBSOCKET_IDLE))
        .build()
}

/// Ids of subscriptions as Ethereum's tools expect them: quantities.
#[derive(Debug)]
struct HexIds;

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        SubscriptionId::Str(format!("{:#x}", eth::new_id()).into())
    }
}

fn cors(origins: &AllowList) -> CorsLayer {
    let allowed = match origins.is_open() {
        true => AllowOrigin::any(),
        // An entry that is no header value can match no request.
        false => {
            let named = origins.named().iter();
            AllowOrigin::list(named.filter_map(|entry| entry.parse().ok()))
        }
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods(Any)
        .allow_headers(Any)
}
