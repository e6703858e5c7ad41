//! Positional parameters, parsed one by one so that an error can name the one
//! that was wrong.

use jsonrpsee::core::JsonRawValue;
use jsonrpsee::types::Params;
use serde::de::DeserializeOwned;

use super::error::RpcError;

/// What is left of a request's parameter list.
///
/// `null` counts as absent: several clients fill the places of optional
/// parameters with it.
#[derive(Debug)]
pub struct Args<'a> {
    values: std::vec::IntoIter<&'a JsonRawValue>,
    position: usize,
}

impl<'a> Args<'a> {
    /// Splits `params` into at most `most` values.
    ///
    /// # Errors
    /// [`RpcError::InvalidParams`] for an object instead of a list, or for more values.
    pub fn parse(params: &'a Params<'_>, most: usize) -> Result<Self, RpcError> {
        let values: Vec<&JsonRawValue> = match params.as_str() {
            None | Some("" | "null" | "[]") => Vec::new(),
            Some(text) => serde_json::from_str(text)
                .map_err(|_| RpcError::params("the parameters must be a JSON list"))?,
        };
        if values.len() > most {
            return Err(RpcError::params(format!(
                "too many parameters: got {}, at most {most} are taken",
                values.len()
            )));
        }
        Ok(Self {
            values: values.into_iter(),
            position: 0,
        })
    }

    /// The next value, which must be there. `name` is what the documentation calls it.
    pub fn required<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, RpcError> {
        let value = self.optional(name)?;
        value.ok_or_else(|| {
            RpcError::params(format!("parameter {} ({name}) is missing", self.position))
        })
    }

    /// The next value, if it is there and not `null`.
    pub fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, RpcError> {
        self.position += 1;
        let Some(value) = self.values.next().filter(|value| value.get() != "null") else {
            return Ok(None);
        };
        serde_json::from_str(value.get())
            .map(Some)
            .map_err(|error| self.wrong(name, &error))
    }

    /// Says what was wrong with the value just read, without serde's line and column:
    /// they count within a fragment that the caller never sees.
    fn wrong(&self, name: &str, error: &serde_json::Error) -> RpcError {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or(&text);
        RpcError::params(format!("parameter {} ({name}): {reason}", self.position))
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, U64};

    use super::*;

    fn message(error: RpcError) -> String {
        error.to_string()
    }

    #[test]
    fn values_are_taken_in_order_and_null_is_absent() {
        let params = Params::new(Some(r#"["0x5", null, "0x7"]"#));
        let mut args = Args::parse(&params, 4).unwrap();
        assert_eq!(args.required::<U64>("a").unwrap(), U64::from(5));
        assert_eq!(args.optional::<U64>("b").unwrap(), None);
        assert_eq!(args.optional::<U64>("c").unwrap(), Some(U64::from(7)));
        assert_eq!(args.optional::<U64>("d").unwrap(), None);
    }

    #[test]
    fn absent_lists_are_empty_ones() {
        for text in [None, Some("[]"), Some(" [ ] "), Some("null")] {
            let params = Params::new(text);
            let mut args = Args::parse(&params, 1).unwrap();
            assert_eq!(args.optional::<U64>("a").unwrap(), None);
        }
    }

    #[test]
    fn errors_name_the_parameter() {
        let params = Params::new(Some(r#"["0x12"]"#));
        let mut args = Args::parse(&params, 2).unwrap();
        let wrong = message(args.required::<Address>("address").unwrap_err());
        assert!(wrong.starts_with("parameter 1 (address): "), "{wrong}");
        assert!(!wrong.contains("at line"), "{wrong}");
        let missing = message(args.required::<U64>("index").unwrap_err());
        assert_eq!(missing, "parameter 2 (index) is missing");
    }

    #[test]
    fn objects_and_surplus_values_are_refused() {
        let object = Params::new(Some(r#"{"address":"0x"}"#));
        assert!(Args::parse(&object, 3).is_err());
        let many = Params::new(Some("[1,2,3]"));
        let error = message(Args::parse(&many, 2).unwrap_err());
        assert_eq!(error, "too many parameters: got 3, at most 2 are taken");
    }
}
