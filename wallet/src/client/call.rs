//! Questions that run a contract's code, or ask for it.

use alloy_primitives::{Address, Bytes, TxKind, U256, hex};
use serde_json::{Value, json};

use super::{
    Client, RpcError, Tag,
    value::{bytes, quantity_u64},
};

/// What is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who calls; the node takes the zero address if nobody is named.
    pub from: Option<Address>,
    /// Whom it calls, or that it creates a contract.
    pub to: TxKind,
    /// Amount in wei.
    pub value: U256,
    /// Call data or creation code.
    pub data: Bytes,
    /// Most gas to use; the node decides if none is given.
    pub gas: Option<u64>,
}

impl Call {
    fn json(&self) -> Value {
        let mut call = json!({
            "value": format!("{:#x}", self.value),
            "data": hex::encode_prefixed(&self.data),
        });
        if let Some(from) = self.from {
            call["from"] = json!(from);
        }
        if let TxKind::Call(to) = self.to {
            call["to"] = json!(to);
        }
        if let Some(gas) = self.gas {
            call["gas"] = json!(format!("{gas:#x}"));
        }
        call
    }
}

impl Client {
    /// What a call would return, if it ran in block `at`.
    ///
    /// # Errors
    /// [`RpcError`], of which [`RpcError::revert`] tells whether the contract refused.
    pub fn output(&self, call: &Call, at: Tag) -> Result<Bytes, RpcError> {
        self.ask("eth_call", json!([call.json(), at.to_string()]), bytes)
    }

    /// Gas that a transaction would use.
    ///
    /// # Errors
    /// As [`Client::output`].
    pub fn estimate_gas(&self, call: &Call) -> Result<u64, RpcError> {
        self.ask("eth_estimateGas", json!([call.json()]), quantity_u64)
    }

    /// The code at an address; empty where there is no contract.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn code(&self, address: Address, at: Tag) -> Result<Bytes, RpcError> {
        self.ask("eth_getCode", json!([address, at.to_string()]), bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_server::{Reply, TestServer};

    fn call() -> Call {
        Call {
            from: None,
            to: TxKind::Call(Address::repeat_byte(1)),
            value: U256::from(10),
            data: Bytes::from_static(&[1, 2]),
            gas: None,
        }
    }

    /// Asks a node that answers with the question itself.
    fn question(call: &Call, at: Tag) -> Value {
        let (told, heard) = std::sync::mpsc::channel();
        let server = TestServer::start(move |request| {
            let _ = told.send(request["params"].clone());
            Reply::Result(json!("0x"))
        });
        let client = Client::new(&server.url()).unwrap();
        assert_eq!(client.output(call, at).unwrap(), Bytes::new());
        heard.recv().unwrap()
    }

    #[test]
    fn a_question_names_only_what_is_given() {
        let to = Address::repeat_byte(1);
        assert_eq!(
            question(&call(), Tag::Latest),
            json!([{"value": "0xa", "data": "0x0102", "to": to}, "latest"])
        );
        let creation = Call {
            from: Some(to),
            to: TxKind::Create,
            gas: Some(255),
            ..call()
        };
        assert_eq!(
            question(&creation, Tag::Number(16)),
            json!([{"value": "0xa", "data": "0x0102", "from": to, "gas": "0xff"}, "0x10"])
        );
    }

    fn refusal(error: Value) -> RpcError {
        let server = TestServer::start(move |_| Reply::Refusal(error.clone()));
        let client = Client::new(&server.url()).unwrap();
        client.output(&call(), Tag::Latest).unwrap_err()
    }

    #[test]
    fn a_revert_is_told_from_other_refusals() {
        let data = Bytes::from_static(&[7; 4]);
        for error in [
            json!({"code": 3, "message": "execution reverted", "data": "0x07070707"}),
            json!({"code": -32000, "message": "VM Exception: Reverted", "data": "0x07070707"}),
            json!({"code": 3, "message": "execution reverted", "data": {"data": "0x07070707"}}),
        ] {
            assert_eq!(refusal(error).revert(), Some(data.clone()));
        }
        for error in [
            json!({"code": 3, "message": "execution reverted"}),
            json!({"code": 3, "message": "execution reverted", "data": "0x0"}),
            json!({"code": -32000, "message": "out of gas", "data": "0x07070707"}),
        ] {
            assert_eq!(refusal(error).revert(), None);
        }
    }
}
