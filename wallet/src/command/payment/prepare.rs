//! Settles every number of a transaction, from the arguments and the node.

use alloy_primitives::{Address, TxKind, U256};
use cairn_genesis::MAX_TRANSACTION_GAS;

use super::{Order, PaymentOptions, SendError, error::Shortfall};
use crate::{
    abi::Revert,
    amount::Amount,
    client::{Client, FeeMarket, RpcError, Tag},
    key::Scheme,
    transaction::{Payment, PaymentError, TransactionType},
};

/// Gas of a plain transfer, the least that any transaction uses.
const TRANSFER_GAS: u64 = 21_000;

/// One coin, in wei: a fee above it is only paid if the user named its parts, not the node.
const MAX_UNASKED_FEE: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// A transaction that is ready to be signed.
pub(in crate::command) struct Plan {
    pub(in crate::command) payment: Payment,
    /// The nonce that would follow without a gap.
    pub(in crate::command) next_nonce: u64,
    /// Base fee of the next block as of now, wei per gas.
    pub(in crate::command) base_fee: u128,
    /// What to look at if a contract refuses.
    pub(in crate::command) check: &'static str,
}

/// What the two prices are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fees {
    max_fee: u128,
    priority_fee: u128,
}

pub(super) fn prepare(
    client: &Client,
    options: &PaymentOptions,
    scheme: Scheme,
    from: Address,
    order: Order,
) -> Result<Plan, SendError> {
    let kind = options.r#type.unwrap_or(TransactionType::of(scheme));
    if kind.scheme() != scheme {
        return Err(PaymentError::Scheme { kind, got: scheme }.into());
    }
    check_fee_options(kind, options)?;
    let chain_id = chain_id(client, options.chain_id)?;
    let next_nonce = client.transaction_count(from, Tag::Pending)?;
    let nonce = nonce(client, options.nonce, from, next_nonce)?;
    let market = client.fee_market()?;
    let Fees {
        max_fee,
        priority_fee,
    } = fees(kind, options, market)?;
    let mut payment = Payment {
        kind,
        chain_id,
        nonce,
        to: order.to,
        value: order.value,
        data: order.data,
        gas_limit: options.gas.unwrap_or(TRANSFER_GAS),
        max_fee,
        priority_fee,
    };
    let balance = balance(client, from)?;
    // Before gas is estimated: a node refuses to estimate what cannot be paid, in its own words.
    check_balance(&payment, from, balance)?;
    if options.gas.is_none() {
        payment.gas_limit = estimate(client, from, &payment, order.check)?;
        check_balance(&payment, from, balance)?;
    }
    check_fee_asked_for(options, &payment)?;
    Ok(Plan {
        payment,
        next_nonce,
        base_fee: market.base_fee,
        check: order.check,
    })
}

fn check_fee_options(kind: TransactionType, options: &PaymentOptions) -> Result<(), SendError> {
    let wrong = if kind.has_dynamic_fee() {
        options
            .gas_price
            .map(|_| ("--gas-price", "--max-fee and --priority-fee"))
    } else {
        let max_fee = options.max_fee.map(|_| ("--max-fee", "--gas-price"));
        max_fee.or(options
            .priority_fee
            .map(|_| ("--priority-fee", "--gas-price")))
    };
    match wrong {
        None => Ok(()),
        Some((option, instead)) => Err(SendError::FeeOption {
            kind: kind.to_string(),
            option,
            instead,
        }),
    }
}

fn chain_id(client: &Client, expected: Option<u64>) -> Result<u64, SendError> {
    let got = client.chain_id()?;
    match expected {
        Some(expected) if expected != got => Err(SendError::WrongChain { got, expected }),
        _ => Ok(got),
    }
}

/// The nonce asked for, which must not be mined already, or the one after those that wait.
fn nonce(
    client: &Client,
    asked_for: Option<u64>,
    from: Address,
    next_nonce: u64,
) -> Result<u64, SendError> {
    let Some(got) = asked_for else {
        return Ok(next_nonce);
    };
    let next = client.transaction_count(from, Tag::Latest)?;
    if got < next {
        Err(SendError::NonceUsed { got, next })
    } else {
        Ok(got)
    }
}

/// The prices: the user's where given. Else the priority fee is the node's advice, and the highest
/// fee leaves room for the base fee to double (six full blocks in a row). Where there is only one
/// price, all of it is paid, so a quarter has to be room enough.
fn fees(
    kind: TransactionType,
    options: &PaymentOptions,
    market: FeeMarket,
) -> Result<Fees, SendError> {
    let FeeMarket {
        base_fee,
        priority_fee: advice,
    } = market;
    if !kind.has_dynamic_fee() {
        let room = base_fee / 4;
        let suggested = base_fee.saturating_add(room).saturating_add(advice);
        let price = options.gas_price.map_or(suggested, |price| price.0);
        return Ok(Fees {
            max_fee: price,
            priority_fee: price,
        });
    }
    let highest = options.max_fee.map(|price| price.0);
    let priority_fee = match options.priority_fee {
        Some(price) => price.0,
        None => advice.min(highest.unwrap_or(u128::MAX)),
    };
    let max_fee =
        highest.unwrap_or_else(|| base_fee.saturating_mul(2).saturating_add(priority_fee));
    if priority_fee > max_fee {
        return Err(SendError::FeesReversed);
    }
    Ok(Fees {
        max_fee,
        priority_fee,
    })
}

fn balance(client: &Client, account: Address) -> Result<U256, RpcError> {
    Ok(client.balances(&[account], Tag::Latest)?.into_iter().sum())
}

/// The node's estimate, and for calls a fifth more, because the state may change before the
/// transaction runs. Gas that is not used is not paid.
fn estimate(
    client: &Client,
    from: Address,
    payment: &Payment,
    check: &'static str,
) -> Result<u64, SendError> {
    let call = payment.call(from, None);
    let gas = client
        .estimate_gas(&call)
        .map_err(|error| would_fail(error, payment.to, check))?;
    if gas <= TRANSFER_GAS {
        return Ok(TRANSFER_GAS);
    }
    Ok(gas.saturating_add(gas / 5).min(MAX_TRANSACTION_GAS))
}

/// The contract's own words, where it says any.
fn would_fail(error: RpcError, to: TxKind, check: &'static str) -> SendError {
    let reason = match (error.revert(), error) {
        (Some(data), _) => format!("it {}", Revert(data)),
        (None, RpcError::Refused { message, .. }) => message,
        (None, other) => return other.into(),
    };
    SendError::WouldFail {
        what: if to.is_create() { "creation" } else { "call" },
        reason,
        check,
    }
}

fn check_balance(payment: &Payment, from: Address, balance: U256) -> Result<(), SendError> {
    if payment.max_total() <= balance {
        return Ok(());
    }
    Err(SendError::Insufficient(Box::new(Shortfall {
        from,
        balance: Amount(balance),
        amount: Amount(payment.value),
        fee: Amount(payment.max_cost()),
    })))
}

/// A node that lies about fees must not empty an account whose owner says `--yes`: the priority
/// fee is the miner's to keep.
fn check_fee_asked_for(options: &PaymentOptions, payment: &Payment) -> Result<(), SendError> {
    let price_given = options.gas_price.is_some() || options.max_fee.is_some();
    let asked_for = price_given && options.gas.is_some();
    let fee = payment.max_cost();
    if asked_for || fee <= MAX_UNASKED_FEE {
        return Ok(());
    }
    let option = if payment.kind.has_dynamic_fee() {
        "--max-fee"
    } else {
        "--gas-price"
    };
    Err(SendError::FeeTooHigh {
        fee: Amount(fee),
        option,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Arguments, Verb};
    use clap::Parser;

    const GWEI: u128 = 1_000_000_000;

    const MARKET: FeeMarket = FeeMarket {
        base_fee: 8 * GWEI,
        priority_fee: 2 * GWEI,
    };

    fn options(options: &[&str]) -> PaymentOptions {
        let to = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
        let line = ["cairn-wallet", "send", to, "1"]
            .into_iter()
            .chain(options.iter().copied());
        match Arguments::try_parse_from(line).unwrap().verb {
            Verb::Send(arguments) => arguments.options,
            other => panic!("{other:?}"),
        }
    }

    fn prices(kind: TransactionType, options: &[&str]) -> (u128, u128) {
        let Fees {
            max_fee,
            priority_fee,
        } = fees(kind, &self::options(options), MARKET).unwrap();
        (max_fee / GWEI, priority_fee / GWEI)
    }

    #[test]
    fn fees_follow_the_market_or_the_user() {
        use TransactionType::{Legacy, Native};
        assert_eq!(prices(Native, &[]), (18, 2));
        assert_eq!(prices(Native, &["--priority-fee", "3gwei"]), (19, 3));
        assert_eq!(prices(Native, &["--max-fee", "9gwei"]), (9, 2));
        assert_eq!(prices(Native, &["--max-fee", "1gwei"]), (1, 1));
        assert_eq!(prices(Native, &["--max-fee", "0"]), (0, 0));
        assert_eq!(prices(Legacy, &[]), (12, 12));
        assert_eq!(prices(Legacy, &["--gas-price", "5gwei"]), (5, 5));
        let reversed = options(&["--max-fee", "1gwei", "--priority-fee", "2gwei"]);
        assert!(matches!(
            fees(Native, &reversed, MARKET),
            Err(SendError::FeesReversed)
        ));
    }

    #[test]
    fn a_greedy_node_does_not_overflow() {
        let greedy = FeeMarket {
            base_fee: u128::MAX,
            priority_fee: u128::MAX,
        };
        for kind in [TransactionType::Native, TransactionType::Legacy] {
            assert_eq!(
                fees(kind, &options(&[]), greedy).unwrap().max_fee,
                u128::MAX
            );
        }
    }

    #[test]
    fn each_type_has_its_own_fee_options() {
        use TransactionType::{Eip1559, Eip2930};
        let check = |kind, options: &[&str]| check_fee_options(kind, &self::options(options));
        assert!(check(Eip1559, &["--max-fee", "1gwei", "--priority-fee", "1gwei"]).is_ok());
        assert!(check(Eip2930, &["--gas-price", "1gwei"]).is_ok());
        assert!(check(Eip1559, &["--gas-price", "1gwei"]).is_err());
        assert!(check(Eip2930, &["--max-fee", "1gwei"]).is_err());
        assert!(check(Eip2930, &["--priority-fee", "1gwei"]).is_err());
    }

    #[test]
    fn a_large_fee_must_be_asked_for() {
        let payment = |max_fee| Payment {
            kind: TransactionType::Native,
            chain_id: 1,
            nonce: 0,
            to: TxKind::Call(Address::ZERO),
            value: U256::ZERO,
            data: Default::default(),
            gas_limit: 100_000,
            max_fee,
            priority_fee: 0,
        };
        let coin = 1_000_000_000_000_000_000;
        let check = |max_fee, options: &[&str]| {
            check_fee_asked_for(&self::options(options), &payment(max_fee))
        };
        assert!(check(coin / 100_000, &[]).is_ok());
        assert!(check(coin / 100_000 + 1, &[]).is_err());
        assert!(check(coin, &["--max-fee", "1cairn"]).is_err());
        assert!(check(coin, &["--max-fee", "1cairn", "--gas", "100000"]).is_ok());
    }
}
