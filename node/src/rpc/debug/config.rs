//! What to trace, and how: the last parameter of every tracing method.

use std::time::{Duration, Instant};

use alloy_primitives::U64;
use alloy_rpc_types_eth::BlockOverrides;
use alloy_rpc_types_eth::state::StateOverride;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::call_tracer::CallOptions;
use super::duration;
use super::prestate::PrestateOptions;
use super::struct_logger::StructOptions;
use crate::rpc::error::RpcError;

/// How long a request may trace when it does not say: geth's.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that it may say. Traces share a few places with all other heavy requests.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(120);

/// As in geth; what is unknown, like `reexec`, is ignored.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TraceConfig {
    tracer: Option<String>,
    tracer_config: Option<Value>,
    timeout: Option<String>,
    #[serde(flatten)]
    struct_logger: StructOptions,
}

/// The same for `debug_traceCall`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TraceCallConfig {
    #[serde(flatten)]
    pub trace: TraceConfig,
    /// Accounts that are to be other than they are.
    pub state_overrides: Option<StateOverride>,
    /// What is to be different about the block.
    pub block_overrides: Option<BlockOverrides>,
    /// Before which transaction of the block the call runs; left out, after all of them.
    pub tx_index: Option<U64>,
}

/// A tracer, with its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The one without a name: every instruction.
    Struct(StructOptions),
    /// `callTracer`.
    Call(CallOptions),
    /// `prestateTracer`.
    Prestate(PrestateOptions),
    /// `4byteTracer`.
    FourByte,
    /// `noopTracer`.
    Noop,
}

/// Reads an option; `null` counts as left out.
pub fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl TraceConfig {
    /// The tracer that is asked for.
    ///
    /// # Errors
    /// If there is none of that name, or it does not have these options.
    pub fn kind(&self) -> Result<Kind, RpcError> {
        match self.tracer.as_deref() {
            None => Ok(Kind::Struct(self.struct_logger)),
            Some("callTracer") => Ok(Kind::Call(self.options()?)),
            Some("prestateTracer") => {
                let options: PrestateOptions = self.options()?;
                options.check()?;
                Ok(Kind::Prestate(options))
            }
            Some("4byteTracer") => Ok(Kind::FourByte),
            Some("noopTracer") => Ok(Kind::Noop),
            Some(name) => Err(RpcError::params(format!(
                "tracer not found: there is no tracer '{}', but callTracer, prestateTracer, \
                 4byteTracer, noopTracer, and without a name the struct logger; tracers in \
                 JavaScript are not supported",
                name.chars().take(60).collect::<String>()
            ))),
        }
    }

    fn options<T: DeserializeOwned>(&self) -> Result<T, RpcError> {
        let options = self.tracer_config.clone().filter(|value| !value.is_null());
        serde_json::from_value(options.unwrap_or_else(|| json!({})))
            .map_err(|error| RpcError::params(format!("'tracerConfig': {error}")))
    }

    /// When a request that comes at `now` has to be done.
    ///
    /// # Errors
    /// If the timeout is no duration.
    pub fn deadline(&self, now: Instant) -> Result<Instant, RpcError> {
        let timeout = match self.timeout.as_deref() {
            None => DEFAULT_TIMEOUT,
            Some(text) => duration::parse(text).ok_or_else(|| {
                RpcError::params(format!(
                    "'timeout' is no duration like \"10s\" or \"500ms\": {text:?}"
                ))
            })?,
        };
        let timeout = timeout.min(LONGEST_TIMEOUT);
        now.checked_add(timeout)
            .ok_or_else(|| RpcError::Internal("the clock is at its end".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: Value) -> TraceConfig {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_struct_logger_has_no_name_and_its_options_at_the_top() {
        let asked =
            config(json!({"enableMemory": true, "limit": 7, "reexec": 128, "disableStack": null}));
        let options = StructOptions {
            enable_memory: true,
            limit: 7,
            ..StructOptions::default()
        };
        assert_eq!(asked.kind(), Ok(Kind::Struct(options)));
        assert_eq!(
            config(json!({})).kind(),
            Ok(Kind::Struct(StructOptions::default()))
        );
    }

    #[test]
    fn other_tracers_have_their_options_inside() {
        let call =
            json!({"tracer": "callTracer", "tracerConfig": {"withLog": true, "onlyTopCall": null}});
        let options = CallOptions {
            with_log: true,
            only_top_call: false,
        };
        assert_eq!(config(call).kind(), Ok(Kind::Call(options)));
        for json in [
            json!({"tracer": "4byteTracer"}),
            json!({"tracer": "4byteTracer", "tracerConfig": null}),
        ] {
            assert_eq!(config(json).kind(), Ok(Kind::FourByte));
        }
    }

    #[test]
    fn what_is_no_tracer_or_no_option_is_named() {
        let error = |json| config(json).kind().unwrap_err().to_string();
        let unknown = error(json!({"tracer": "{data: [], step: function() {}}"}));
        assert!(
            unknown.starts_with("tracer not found: there is no tracer '{data"),
            "{unknown}"
        );
        let wrong = error(json!({"tracer": "callTracer", "tracerConfig": {"withLog": "yes"}}));
        assert!(wrong.starts_with("'tracerConfig': "), "{wrong}");
        let both = json!({"diffMode": true, "includeEmpty": true});
        let both = error(json!({"tracer": "prestateTracer", "tracerConfig": both}));
        assert_eq!(both, "cannot use diffMode with includeEmpty");
    }

    #[test]
    fn a_timeout_has_a_default_and_an_end() {
        let now = Instant::now();
        let seconds = |json| config(json).deadline(now).map(|at| (at - now).as_secs());
        assert_eq!(seconds(json!({})), Ok(5));
        assert_eq!(seconds(json!({"timeout": "30s"})), Ok(30));
        assert_eq!(seconds(json!({"timeout": "9h"})), Ok(120));
        assert!(seconds(json!({"timeout": "soon"})).is_err());
    }
}
