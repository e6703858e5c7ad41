//! `eth_subscribe`: news without asking, over a WebSocket.
//!
//! Each subscription is a listener (see `follow`) with a task of its own, which wakes when
//! the tip moves or the pool grows. A client that reads slowly makes its task wait; what
//! happens meanwhile is found on the chain when it goes on.

use std::sync::Arc;

use alloy_primitives::B256;
use jsonrpsee::core::SubscriptionError;
use jsonrpsee::types::Params;
use jsonrpsee::{PendingSubscriptionSink, SubscriptionSink};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::json;
use serde_json::value::to_raw_value;
use tokio::sync::watch;

use super::block;
use super::filters::still_pending;
use super::follow::{Heads, Logs, News};
use super::logs::LogQuery;
use super::node::Syncing;
use crate::rpc::api::Api;
use crate::rpc::error::RpcError;
use crate::rpc::methods::Registry;
use crate::rpc::params::Args;
use crate::rpc::types::{self, RpcHeader};

pub(super) fn register(registry: &mut Registry) {
    registry.subscription(
        ["eth_subscribe", "eth_subscription", "eth_unsubscribe"],
        subscribe,
    );
}

type Ended = Result<(), SubscriptionError>;

/// What one can subscribe to.
enum Topic {
    Heads,
    Logs(LogQuery),
    Pending { whole: bool },
    Syncing,
}

impl Topic {
    fn parse(params: &Params<'_>) -> Result<Self, RpcError> {
        let mut args = Args::parse(params, 2)?;
        let topic: String = args.required("subscription")?;
        match topic.as_str() {
            "newHeads" => Ok(Self::Heads),
            "logs" => Ok(Self::Logs(args.optional("filter")?.unwrap_or_default())),
            "newPendingTransactions" => Ok(Self::Pending {
                whole: args.optional("full transactions")?.unwrap_or(false),
            }),
            "syncing" => Ok(Self::Syncing),
            other => Err(RpcError::params(format!(
                "no \"{other}\" subscription in eth namespace: there are newHeads, logs, newPendingTransactions and syncing"
            ))),
        }
    }
}

async fn subscribe(
    params: Params<'static>,
    pending: PendingSubscriptionSink,
    api: Arc<Api>,
) -> Ended {
    match Topic::parse(&params) {
        Ok(Topic::Heads) => heads(api, pending).await,
        Ok(Topic::Logs(query)) => logs(api, pending, query).await,
        Ok(Topic::Pending { whole: false }) => pending_hashes(api, pending).await,
        Ok(Topic::Pending { whole: true }) => pending_transactions(api, pending).await,
        Ok(Topic::Syncing) => syncing(api, pending).await,
        Err(error) => {
            pending.reject(error).await;
            Ok(())
        }
    }
}

async fn heads(api: Arc<Api>, pending: PendingSubscriptionSink) -> Ended {
    let wake = api.node.head.clone();
    let listener = api.compute(|api| Ok(Heads::new(&api.view()?))).await;
    let next = |listener: &mut Heads, api: &Api| {
        let view = api.view()?;
        let News { items, more } = listener.news(&view)?;
        let header = |block| Ok(types::header(&block, block::bloom(&view, &block)?));
        let items = items
            .into_iter()
            .map(header)
            .collect::<Result<_, RpcError>>()?;
        Ok(News::<RpcHeader> { items, more })
    };
    listen(api, pending, wake, listener, next).await
}

async fn logs(api: Arc<Api>, pending: PendingSubscriptionSink, query: LogQuery) -> Ended {
    let wake = api.node.head.clone();
    let listener = api
        .compute(move |api| Logs::new(&api.view()?, &query))
        .await;
    let next = |listener: &mut Logs, api: &Api| listener.news(&api.view()?);
    listen(api, pending, wake, listener, next).await
}

async fn pending_hashes(api: Arc<Api>, pending: PendingSubscriptionSink) -> Ended {
    let (wake, seen) = (api.node.pool.arrivals(), api.node.pool.arrived());
    listen(api, pending, wake, Ok(seen), |seen, api| {
        Ok(newcomers(seen, api))
    })
    .await
}

async fn pending_transactions(api: Arc<Api>, pending: PendingSubscriptionSink) -> Ended {
    let (wake, seen) = (api.node.pool.arrivals(), api.node.pool.arrived());
    let next = |seen: &mut u64, api: &Api| {
        let News { items, more } = newcomers(seen, api);
        let items = still_pending(api, &items);
        Ok(News { items, more })
    };
    listen(api, pending, wake, Ok(seen), next).await
}

fn newcomers(seen: &mut u64, api: &Api) -> News<B256> {
    let (items, arrived) = api.node.pool.newcomers(*seen);
    *seen = arrived;
    News { items, more: false }
}

/// Says how things are, and again whenever the node begins or ends to catch up, in geth's
/// shape; how far it has come in between is what `eth_syncing` is for.
async fn syncing(api: Arc<Api>, pending: PendingSubscriptionSink) -> Ended {
    let sink = pending.accept().await?;
    let Some(network) = &api.node.network else {
        if send(&sink, &false).await? {
            sink.closed().await;
        }
        return Ok(());
    };
    let mut changes = network.sync_changes();
    loop {
        let status = *changes.borrow_and_update();
        let news = match status.active {
            false => json!(false),
            true => json!({ "syncing": true, "status": Syncing::from(status) }),
        };
        if !send(&sink, &news).await? {
            return Ok(());
        }
        tokio::select! {
            () = sink.closed() => return Ok(()),
            changed = changes.wait_for(|next| next.active != status.active) => drop(changed?),
        }
    }
}

/// Accepts a subscription and serves it until its client leaves or `next` fails. `wake` says
/// when there may be something new.
async fn listen<L, T, W>(
    api: Arc<Api>,
    pending: PendingSubscriptionSink,
    mut wake: watch::Receiver<W>,
    listener: Result<L, RpcError>,
    next: impl Fn(&mut L, &Api) -> Result<News<T>, RpcError> + Copy + Send + 'static,
) -> Ended
where
    L: Send + 'static,
    T: Serialize + Send + 'static,
{
    let listener = match listener {
        Ok(listener) => Arc::new(Mutex::new(listener)),
        Err(error) => {
            pending.reject(error).await;
            return Ok(());
        }
    };
    let sink = pending.accept().await?;
    loop {
        wake.mark_unchanged();
        let ready = Arc::clone(&listener);
        let news = api.compute(move |api| next(&mut ready.lock(), api)).await;
        let news = unless_reorganizing(news)?;
        for item in &news.items {
            if !send(&sink, item).await? {
                return Ok(());
            }
        }
        if news.more {
            continue;
        }
        tokio::select! {
            changed = wake.changed() => changed?,
            () = sink.closed() => return Ok(()),
        }
    }
}

/// Nothing is new while a long reorganization is written, which ends with a change of the tip.
fn unless_reorganizing<T>(news: Result<News<T>, RpcError>) -> Result<News<T>, RpcError> {
    match news {
        Err(RpcError::Reorganizing) => Ok(News {
            items: vec![],
            more: false,
        }),
        news => news,
    }
}

/// Sends one item; whether somebody is still there.
async fn send<T: Serialize>(sink: &SubscriptionSink, item: &T) -> Result<bool, SubscriptionError> {
    let json = to_raw_value(item)?;
    Ok(sink.send(json).await.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    #[test]
    fn only_a_reorganization_is_waited_for() {
        let after = |error| unless_reorganizing::<bool>(Err(error));
        let waits = after(StoreError::Reorganizing.into()).unwrap();
        assert!(waits.items.is_empty() && !waits.more);
        for error in [RpcError::refused("no"), RpcError::Stopping] {
            assert_eq!(after(error.clone()).unwrap_err(), error);
        }
    }
}
