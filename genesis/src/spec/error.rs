//! Why a chain spec is refused.

/// A chain spec cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// Not JSON, an unknown or missing key, or a value of the wrong kind.
    #[error("the chain spec cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A value breaks a rule (R-SPEC).
    #[error("the chain spec's `{key}` is wrong: {problem}")]
    Value {
        /// The key, with dots for what lies inside.
        key: &'static str,
        /// What is wrong, and what would be right.
        problem: String,
    },
}
