//! The table of methods, and the ways in which one can run.
//!
//! - [`Registry::read`] runs where the connection is served. For what costs a few point
//!   reads: RocksDB answers them from its cache in microseconds, while a hop to another
//!   thread and back costs ten to twenty and a second scheduling. A read that misses the
//!   cache blocks one of the runtime's threads for one disk access; the others go on.
//! - [`Registry::heavy`] runs on tokio's blocking pool, two per processor at once. For what
//!   decodes whole blocks or executes code.
//! - [`Registry::task`] is asynchronous. For what waits for the core. [`Registry::lever`] is a
//!   task that is refused to web pages that nobody named: for what overrules the node, and for
//!   what shows where the node and its peers are.
//! - [`Registry::subscription`] goes on until its client leaves, over WebSockets only.

use std::sync::Arc;

use jsonrpsee::core::SubscriptionError;
use jsonrpsee::types::{Extensions, Params};
use jsonrpsee::{PendingSubscriptionSink, RpcModule};
use serde::Serialize;

use super::api::Api;
use super::context::RpcContext;
use super::error::RpcError;
use super::guard::Stranger;
use super::params::Args;
use super::{admin, cairn, debug, dev, eth, net, txpool, web3};

/// Why registering cannot fail.
const ONCE: &str = "every method name is registered once";

/// Every method of this node.
pub fn all(context: RpcContext) -> RpcModule<Api> {
    of(Api::new(context))
}

/// Every method over `api`.
pub fn of(api: Api) -> RpcModule<Api> {
    let mut registry = Registry {
        module: RpcModule::new(api),
    };
    web3::register(&mut registry);
    net::register(&mut registry);
    eth::register(&mut registry);
    dev::register(&mut registry);
    txpool::register(&mut registry);
    debug::register(&mut registry);
    cairn::register(&mut registry);
    admin::register(&mut registry);
    registry.module
}

/// Collects methods. `most` is always the number of parameters that a method takes at most.
pub struct Registry {
    module: RpcModule<Api>,
}

impl Registry {
    /// A method of a few point reads.
    pub fn read<T, F>(&mut self, name: &'static str, most: usize, method: F)
    where
        T: Serialize + Clone + 'static,
        F: Fn(&Api, &mut Args<'_>) -> Result<T, RpcError> + Send + Sync + 'static,
    {
        let callback = move |params: Params<'_>, api: &Api, _: &_| {
            method(api, &mut Args::parse(&params, most)?)
        };
        self.module.register_method(name, callback).expect(ONCE);
    }

    /// A method that computes or reads a lot.
    pub fn heavy<T, F>(&mut self, name: &'static str, most: usize, method: F)
    where
        T: Serialize + Clone + Send + 'static,
        F: Fn(&Api, &mut Args<'_>) -> Result<T, RpcError> + Copy + Send + Sync + 'static,
    {
        let callback = move |params: Params<'static>, api: Arc<Api>, _| async move {
            let work = move |api: &Api| method(api, &mut Args::parse(&params, most)?);
            api.compute(work).await
        };
        self.module
            .register_async_method(name, callback)
            .expect(ONCE);
    }

    /// A subscription: the methods that begin and end it, and the name of its notifications
    /// between them.
    pub fn subscription<F, Fut>(&mut self, names: [&'static str; 3], serve: F)
    where
        F: Fn(Params<'static>, PendingSubscriptionSink, Arc<Api>) -> Fut
            + Copy
            + Send
            + Sync
            + 'static,
        Fut: Future<Output = Result<(), SubscriptionError>> + Send + 'static,
    {
        let [subscribe, notification, unsubscribe] = names;
        let callback = move |params, sink, api: Arc<Api>, _| serve(params, sink, api);
        self.module
            .register_subscription(subscribe, notification, unsubscribe, callback)
            .expect(ONCE);
    }

    /// A method that waits. It takes its parameters apart itself.
    pub fn task<T, F, Fut>(&mut self, name: &'static str, method: F)
    where
        T: Serialize + Clone + Send + 'static,
        F: Fn(Arc<Api>, Params<'static>) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Result<T, RpcError>> + Send + 'static,
    {
        let callback = move |params: Params<'static>, api: Arc<Api>, _| method(api, params);
        self.module
            .register_async_method(name, callback)
            .expect(ONCE);
    }

    /// A task for the operator alone.
    pub fn lever<T, F, Fut>(&mut self, name: &'static str, method: F)
    where
        T: Serialize + Clone + Send + 'static,
        F: Fn(Arc<Api>, Params<'static>) -> Fut + Copy + Send + Sync + 'static,
        Fut: Future<Output = Result<T, RpcError>> + Send + 'static,
    {
        let callback = move |params: Params<'static>, api: Arc<Api>, marks: Extensions| async move {
            if marks.get::<Stranger>().is_some() {
                return Err(RpcError::stranger(name));
            }
            method(api, params).await
        };
        self.module
            .register_async_method(name, callback)
            .expect(ONCE);
    }
}
