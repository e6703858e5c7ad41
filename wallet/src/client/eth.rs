//! The questions that the wallet asks, with typed answers.

use std::{fmt, str::FromStr};

use alloy_primitives::{Address, B256, U256, hex};
use serde_json::{Value, json};

use super::{
    Client, RpcError, printable,
    value::{address, hash, optional_address, quantity, quantity_u64, quantity_u128},
};

/// Number of recent blocks whose tips are looked at where the node suggests none.
const FEE_HISTORY_BLOCKS: u64 = 10;

/// Which state a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// After this block.
    Number(u64),
    /// After the newest block.
    Latest,
    /// As `Latest`, with the transactions that wait.
    Pending,
    /// Before the first block.
    Earliest,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number:#x}"),
            Self::Latest => f.write_str("latest"),
            Self::Pending => f.write_str("pending"),
            Self::Earliest => f.write_str("earliest"),
        }
    }
}

/// As users write it.
impl FromStr for Tag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "latest" => Ok(Self::Latest),
            "pending" => Ok(Self::Pending),
            "earliest" => Ok(Self::Earliest),
            number => match number.parse() {
                Ok(number) => Ok(Self::Number(number)),
                Err(_) => Err("write a block number, latest, pending or earliest"),
            },
        }
    }
}

/// What decides the price of gas now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeMarket {
    /// Base fee of the next block, wei per gas.
    pub base_fee: u128,
    /// Priority fee that gets a transaction mined soon, wei per gas.
    pub priority_fee: u128,
}

/// What the wallet looks at in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Unix time in seconds.
    pub timestamp: u64,
    /// Who got the reward and the priority fees.
    pub miner: Address,
    /// Its transactions in order.
    pub transfers: Vec<Transfer>,
}

/// What the wallet looks at in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Its hash.
    pub hash: B256,
    /// Who paid.
    pub from: Address,
    /// Who got it; none if it created a contract.
    pub to: Option<Address>,
    /// Amount in wei.
    pub value: U256,
}

impl Client {
    /// The chain that the node is on.
    ///
    /// # Errors
    /// [`RpcError`], as for every question here.
    pub fn chain_id(&self) -> Result<u64, RpcError> {
        self.ask("eth_chainId", json!([]), quantity_u64)
    }

    /// Number of the newest block.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn block_number(&self) -> Result<u64, RpcError> {
        self.ask("eth_blockNumber", json!([]), quantity_u64)
    }

    /// Number of transactions that `account` has sent.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn transaction_count(&self, account: Address, at: Tag) -> Result<u64, RpcError> {
        self.ask(
            "eth_getTransactionCount",
            json!([account, at.to_string()]),
            quantity_u64,
        )
    }

    /// Balances in wei, in the order of `accounts`.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn balances(&self, accounts: &[Address], at: Tag) -> Result<Vec<U256>, RpcError> {
        let method = "eth_getBalance";
        let question = |account: &Address| (method, json!([account, at.to_string()]));
        let questions: Vec<_> = accounts.iter().map(question).collect();
        let answers = self.batch(&questions)?;
        answers
            .iter()
            .map(|answer| self.read(method, answer, quantity))
            .collect()
    }

    /// What gas costs: the base fee of the next block, and the node's advice on the priority fee,
    /// or the median of recent blocks where it gives none.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn fee_market(&self) -> Result<FeeMarket, RpcError> {
        let method = "eth_feeHistory";
        let params = json!([format!("{FEE_HISTORY_BLOCKS:#x}"), "latest", [50]]);
        let history = self.call(method, params)?;
        // The list has one entry more than there are blocks: the next block's base fee.
        let base_fee = self.read(method, &history, |history| {
            quantity_u128(history["baseFeePerGas"].as_array()?.last()?)
        })?;
        let priority_fee = match self.ask("eth_maxPriorityFeePerGas", json!([]), quantity_u128) {
            Err(error) if error.is_unknown_method() => median_tip(&history).unwrap_or_default(),
            other => other?,
        };
        Ok(FeeMarket {
            base_fee,
            priority_fee,
        })
    }

    /// Hands a signed transaction to the node; the answer is its hash.
    ///
    /// # Errors
    /// [`RpcError`]. After [`RpcError::Timeout`] the node may have it all the same.
    pub fn send_raw_transaction(&self, envelope: &[u8]) -> Result<B256, RpcError> {
        self.ask(
            "eth_sendRawTransaction",
            json!([hex::encode_prefixed(envelope)]),
            hash,
        )
    }

    /// Whether the node knows a transaction, mined or waiting.
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn knows_transaction(&self, transaction: B256) -> Result<bool, RpcError> {
        Ok(!self
            .call("eth_getTransactionByHash", json!([transaction]))?
            .is_null())
    }

    /// The node's sentence on why a transaction is not mined; none if it has none to give. Only
    /// Cairn's nodes know the question.
    #[must_use]
    pub fn why(&self, transaction: B256) -> Option<String> {
        let answer = self.call("cairn_why", json!([transaction])).ok()?;
        let explanation = answer["explanation"].as_str()?;
        Some(printable(explanation)).filter(|explanation| !explanation.is_empty())
    }

    /// Blocks with their transactions; none where the chain has no such block (any more).
    ///
    /// # Errors
    /// [`RpcError`].
    pub fn blocks(&self, numbers: &[u64]) -> Result<Vec<Option<Block>>, RpcError> {
        let method = "eth_getBlockByNumber";
        let question = |number: &u64| (method, json!([format!("{number:#x}"), true]));
        let questions: Vec<_> = numbers.iter().map(question).collect();
        let answers = self.batch(&questions)?;
        answers
            .iter()
            .map(|answer| self.read(method, answer, block))
            .collect()
    }

    pub(super) fn ask<T>(
        &self,
        method: &str,
        params: Value,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, RpcError> {
        let answer = self.call(method, params)?;
        self.read(method, &answer, read)
    }

    pub(super) fn read<T>(
        &self,
        method: &str,
        answer: &Value,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, RpcError> {
        read(answer).ok_or_else(|| self.strange(method))
    }
}

/// The median of the median tips of recent blocks.
fn median_tip(history: &Value) -> Option<u128> {
    let tips = history["reward"]
        .as_array()?
        .iter()
        .map(|block| quantity_u128(&block[0]));
    let mut tips = tips.collect::<Option<Vec<u128>>>()?;
    tips.sort_unstable();
    tips.get(tips.len() / 2).copied()
}

fn block(value: &Value) -> Option<Option<Block>> {
    if value.is_null() {
        return Some(None);
    }
    let transfers = value["transactions"].as_array()?.iter().map(transfer);
    Some(Some(Block {
        number: quantity_u64(&value["number"])?,
        timestamp: quantity_u64(&value["timestamp"])?,
        miner: address(&value["miner"])?,
        transfers: transfers.collect::<Option<_>>()?,
    }))
}

fn transfer(value: &Value) -> Option<Transfer> {
    Some(Transfer {
        hash: hash(&value["hash"])?,
        from: address(&value["from"])?,
        to: optional_address(&value["to"])?,
        value: quantity(&value["value"])?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_server::{Reply, TestServer};

    fn client(script: impl Fn(&Value) -> Reply + Send + 'static) -> Client {
        Client::new(&TestServer::start(script).url()).unwrap()
    }

    fn fee_history() -> Value {
        json!({"oldestBlock": "0x1", "baseFeePerGas": ["0x5", "0x7"], "gasUsedRatio": [0.5],
               "reward": [["0x3"], ["0x1"], ["0x2"]]})
    }

    #[test]
    fn blocks_are_named_or_numbered() {
        assert_eq!("latest".parse(), Ok(Tag::Latest));
        let number: Tag = "17".parse().unwrap();
        assert_eq!(number.to_string(), "0x11");
        for text in ["", "-1", "newest", "0x11"] {
            assert!(text.parse::<Tag>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_next_base_fee_is_the_last_of_the_list() {
        let market = client(|request| match request["method"].as_str() {
            Some("eth_feeHistory") => Reply::Result(fee_history()),
            _ => Reply::Result(json!("0x9")),
        });
        assert_eq!(
            market.fee_market().unwrap(),
            FeeMarket {
                base_fee: 7,
                priority_fee: 9
            }
        );
    }

    #[test]
    fn without_advice_the_median_tip_counts() {
        let market = client(|request| match request["method"].as_str() {
            Some("eth_feeHistory") => Reply::Result(fee_history()),
            _ => Reply::Error(-32601, "the method does not exist".to_owned()),
        });
        assert_eq!(
            market.fee_market().unwrap(),
            FeeMarket {
                base_fee: 7,
                priority_fee: 2
            }
        );
    }

    #[test]
    fn loose_integers_are_refused() {
        for answer in [json!(5), json!("5"), json!("0x05"), json!(null), json!({})] {
            let node = client(move |_| Reply::Result(answer.clone()));
            assert!(matches!(node.chain_id(), Err(RpcError::Strange { .. })));
        }
    }

    #[test]
    fn a_block_is_read() {
        let address = |byte| Address::repeat_byte(byte);
        let json = json!({
            "number": "0x10", "timestamp": "0x20", "miner": address(1), "somethingNew": true,
            "transactions": [
                {"hash": B256::ZERO, "from": address(2), "to": address(3), "value": "0x1", "type": "0x45"},
                {"hash": B256::ZERO, "from": address(2), "to": null, "value": "0x0"},
            ],
        });
        let found = block(&json).unwrap().unwrap();
        assert_eq!(
            (found.number, found.timestamp, found.miner),
            (16, 32, address(1))
        );
        assert_eq!(found.transfers[0].to, Some(address(3)));
        assert_eq!(found.transfers[1].to, None);
        assert_eq!(block(&Value::Null), Some(None));
        assert_eq!(block(&json!({})), None);
    }
}
