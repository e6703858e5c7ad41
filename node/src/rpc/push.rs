//! Subscriptions need a connection that stays. Over HTTP they are refused with geth's words,
//! where jsonrpsee would speak of an internal error.

use jsonrpsee::MethodResponse;
use jsonrpsee::core::middleware::{Batch, BatchEntry, BatchEntryErr, Notification, RpcServiceT};
use jsonrpsee::types::{ErrorObject, Request};

/// Marks requests that come over a WebSocket.
#[derive(Debug, Clone, Copy)]
pub struct Upgraded;

/// A service without subscriptions for requests that are not [`Upgraded`].
#[derive(Debug, Clone)]
pub struct PushGuard<S>(pub S);

const METHOD_NOT_FOUND: i32 = -32601;
const WORDS: &str =
    "notifications not supported: subscribe over a WebSocket, or poll a filter (eth_newFilter)";

/// The refusal of a request that needs a connection which stays and has none.
fn refusal(request: &Request<'_>) -> Option<ErrorObject<'static>> {
    let upgraded = request.extensions().get::<Upgraded>().is_some();
    let needs_push = matches!(request.method_name(), "eth_subscribe" | "eth_unsubscribe");
    (needs_push && !upgraded).then(|| ErrorObject::borrowed(METHOD_NOT_FOUND, WORDS, None))
}

impl<S> RpcServiceT for PushGuard<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse> + Clone + Send + Sync + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = S::NotificationResponse;
    type BatchResponse = S::BatchResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let inner = self.0.clone();
        async move {
            match refusal(&request) {
                Some(error) => MethodResponse::error(request.id, error),
                None => inner.call(request).await,
            }
        }
    }

    fn batch<'a>(
        &self,
        mut requests: Batch<'a>,
    ) -> impl Future<Output = Self::BatchResponse> + Send + 'a {
        for entry in requests.iter_mut() {
            if let Ok(BatchEntry::Call(request)) = entry
                && let Some(error) = refusal(request)
            {
                *entry = Err(BatchEntryErr::new(request.id.clone(), error));
            }
        }
        self.0.batch(requests)
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = Self::NotificationResponse> + Send + 'a {
        self.0.notification(notification)
    }
}
