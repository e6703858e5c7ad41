//! When a block was announced and passed on: the machine's own words, with the time.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

static SEEN: Mutex<Option<HashMap<String, Times>>> = Mutex::new(None);

#[derive(Debug, Default, Clone, Copy)]
struct Times {
    announced: Option<Instant>,
    passed_on: Option<Instant>,
    transactions: u64,
}

/// Listens from now on.
pub fn install() {
    let subscriber = tracing_subscriber::registry().with(Watch);
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
}

/// Forgets what was seen.
pub fn reset() {
    *SEEN.lock().expect("no panic") = Some(HashMap::new());
}

/// From announcement to being passed on, for each block with so many transactions that was,
/// ascending.
pub fn hops(transactions: usize) -> Vec<Duration> {
    let seen = SEEN.lock().expect("no panic");
    let times = seen.iter().flat_map(HashMap::values);
    let times = times.filter(|times| times.transactions >= transactions as u64);
    let mut hops: Vec<_> = times
        .filter_map(|times| Some(times.passed_on? - times.announced?))
        .collect();
    hops.sort();
    hops
}

struct Watch;

#[derive(Default)]
struct Words {
    hash: String,
    message: String,
    transactions: u64,
}

impl Visit for Words {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "transactions" {
            self.transactions = value;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "hash" => self.hash = format!("{value:?}"),
            "message" => self.message = format!("{value:?}"),
            _ => {}
        }
    }
}

impl<S: tracing::Subscriber> Layer<S> for Watch {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target().starts_with("cairn_node::network::relay")
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let now = Instant::now();
        let mut words = Words::default();
        event.record(&mut words);
        let mut seen = SEEN.lock().expect("no panic");
        let Some(seen) = seen.as_mut() else { return };
        let times = seen.entry(words.hash).or_default();
        times.transactions = times.transactions.max(words.transactions);
        match words.message.as_str() {
            "announcing a block" => times.announced = times.announced.or(Some(now)),
            "passing a block on" => times.passed_on = times.passed_on.or(Some(now)),
            _ => {}
        }
    }
}
