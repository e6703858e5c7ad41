//! Who may ask: the `Host` and `Origin` of a request, checked before anything else.
//!
//! A web page can make its own name resolve to 127.0.0.1 (DNS rebinding) and then talk
//! to a node on the reader's machine as if it were the page's own server. Such a request
//! names the page's host, so names are accepted from a list only; an IP address can
//! not be rebound and always passes. Browsers do not apply CORS to WebSockets, hence
//! the check of `Origin` here, for both transports.
//!
//! A page that passes only because every page may is a [`Stranger`]: what changes the node's
//! mind is refused to it, and so is what tells addresses of the network around the node.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use jsonrpsee::core::BoxError;
use jsonrpsee::server::{HttpRequest, HttpResponse, http::response};
use tower::{Layer, Service};

use super::push::Upgraded;

/// A list in which `*` stands for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList {
    is_open: bool,
    named: Vec<String>,
}

impl AllowList {
    /// Reads a comma-separated list; `*` as one of its entries allows everything.
    pub fn parse(list: &str) -> Self {
        let entries = list
            .split(',')
            .map(|entry| entry.trim().to_ascii_lowercase())
            .filter(|entry| !entry.is_empty());
        let (stars, named): (Vec<_>, Vec<_>) = entries.partition(|entry| entry == "*");
        Self {
            is_open: !stars.is_empty(),
            named,
        }
    }

    /// A list that allows everything and names nothing.
    pub fn everything() -> Self {
        Self {
            is_open: true,
            named: Vec::new(),
        }
    }

    /// Whether everything passes.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// What is named, in lower case.
    pub fn named(&self) -> &[String] {
        &self.named
    }

    fn allows(&self, entry: &str) -> bool {
        self.is_open || self.names(entry)
    }

    /// Names are compared without case.
    fn names(&self, entry: &str) -> bool {
        let mut named = self.named.iter();
        named.any(|name| name.eq_ignore_ascii_case(entry))
    }
}

/// A mark on requests of a web page that nobody named. Programs send no `Origin`; browsers
/// send one with every request that a page may make, and pages cannot leave it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger;

/// The rules of [`Guard`].
#[derive(Debug, Clone)]
pub struct Guards {
    /// Host names, without port, beyond `localhost` and IP addresses.
    pub hosts: AllowList,
    /// Origins of web pages (`https://app.example`).
    pub origins: AllowList,
}

impl Guards {
    /// Whether a request with these headers may pass. A request without `Host` (HTTP/1.0)
    /// or without `Origin` (every program but a browser) is nobody's rebound page.
    pub fn allow(&self, host: Option<&str>, origin: Option<&str>) -> bool {
        host.is_none_or(|host| self.allows_host(host))
            && origin.is_none_or(|origin| self.origins.allows(origin))
    }

    /// Whether a request with this `Origin` comes from a page that nobody named.
    pub fn is_stranger(&self, origin: Option<&str>) -> bool {
        origin.is_some_and(|origin| !self.origins.names(origin))
    }

    fn allows_host(&self, authority: &str) -> bool {
        let host = host_of(authority);
        is_address(host) || is_loopback_name(host) || self.hosts.allows(host)
    }
}

/// The host of `host:port`, with the brackets of an IPv6 address taken off.
fn host_of(authority: &str) -> &str {
    if let Some((address, _)) = authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        return address;
    }
    authority.split(':').next().unwrap_or(authority)
}

fn is_address(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok()
}

/// RFC 6761: `localhost` and the names below it always mean this machine.
fn is_loopback_name(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// Puts a [`Guard`] in front of a service.
#[derive(Debug, Clone)]
pub struct GuardLayer(Arc<Guards>);

impl GuardLayer {
    /// A layer that applies `guards`.
    pub fn new(guards: Guards) -> Self {
        Self(Arc::new(guards))
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard {
            inner,
            guards: Arc::clone(&self.0),
        }
    }
}

/// Answers 403 to requests that [`Guards`] refuse.
#[derive(Debug, Clone)]
pub struct Guard<S> {
    inner: S,
    guards: Arc<Guards>,
}

impl<S, B> Service<HttpRequest<B>> for Guard<S>
where
    S: Service<HttpRequest<B>, Response = HttpResponse>,
    S::Error: Into<BoxError> + 'static,
    S::Future: Send + 'static,
{
    type Response = HttpResponse;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, mut request: HttpRequest<B>) -> Self::Future {
        // A header that is no text matches nothing, rather than counting as absent.
        let header = |name: &str| {
            let value = request.headers().get(name);
            value.map(|value| value.to_str().unwrap_or_default())
        };
        // HTTP/2 names the host in the URI instead of a header.
        let host = header("host").or_else(|| request.uri().host());
        let origin = header("origin");
        if !self.guards.allow(host, origin) {
            return Box::pin(async { Ok(response::host_not_allowed()) });
        }
        let is_stranger = self.guards.is_stranger(origin);
        if request.headers().contains_key("upgrade") {
            request.extensions_mut().insert(Upgraded);
        }
        if is_stranger {
            request.extensions_mut().insert(Stranger);
        }
        let answer = self.inner.call(request);
        Box::pin(async move { answer.await.map_err(Into::into) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guards(hosts: &str, origins: &str) -> Guards {
        Guards {
            hosts: AllowList::parse(hosts),
            origins: AllowList::parse(origins),
        }
    }

    #[test]
    fn addresses_and_localhost_always_pass() {
        let guards = guards("", "*");
        for host in [
            "127.0.0.1:8545",
            "[::1]:8545",
            "192.168.1.7",
            "localhost:1",
            "LOCALHOST",
            "a.localhost",
        ] {
            assert!(guards.allow(Some(host), None), "{host}");
        }
    }

    #[test]
    fn names_pass_from_the_list_only() {
        let guards = guards("node.example, other.example", "*");
        assert!(guards.allow(Some("Node.Example:8545"), None));
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "",
        ] {
            assert!(!guards.allow(Some(host), None), "{host}");
        }
        assert!(guards.allow(None, None));
    }

    #[test]
    fn a_star_allows_every_name() {
        assert!(guards("*", "*").allow(Some("evil.example"), Some("https://evil.example")));
    }

    #[test]
    fn pages_pass_from_the_list_only() {
        let guards = guards("", "https://app.example");
        assert!(guards.allow(Some("localhost"), Some("https://app.example")));
        assert!(!guards.allow(Some("localhost"), Some("https://evil.example")));
        assert!(guards.allow(Some("localhost"), None));
    }

    #[test]
    fn a_page_that_nobody_named_is_a_stranger() {
        let guards = |origins| guards("", origins);
        assert!(guards("*").is_stranger(Some("https://app.example")));
        assert!(guards("*").is_stranger(Some("null")));
        assert!(!guards("*").is_stranger(None));
        for origins in ["https://app.example", "*, https://app.example"] {
            assert!(!guards(origins).is_stranger(Some("https://App.example")));
        }
    }
}
