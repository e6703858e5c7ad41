//! Random histories of a chain and its senders, which the pool has to live through
//! without ever breaking an invariant.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use cairn_genesis::VerifiedTransaction;
use proptest::prelude::*;

use super::sender::highest_cost;
use super::testing::{Bench, Draft, authorization, draft, ethereum, native};
use super::{AccountCode, Limits, SenderState, Tip, TipChange};

const SENDERS: u8 = 4;

/// One thing that happens to a pool.
#[derive(Debug, Clone)]
enum Event {
    /// Somebody sends; the nonce counts from the account's.
    Send {
        by: Who,
        nonce_ahead: u64,
        max_fee: u128,
        tip: u128,
        value: u64,
        input_bytes: usize,
    },
    /// A sponsor sends an authorization of another account; its nonce counts from the account's.
    Delegate {
        by: u8,
        nonce_ahead: u64,
        authority: u8,
        authority_nonce: u64,
        tip: u128,
    },
    /// A block takes some of the best.
    Mine {
        count: usize,
    },
    /// Somebody's next nonce is used in a block by a transaction that the pool does not know.
    UseNonce {
        by: Who,
        nonces: u64,
    },
    /// The last blocks are disconnected, and the first few transactions of them mined again.
    Reorganize {
        blocks: usize,
        mined_again: usize,
    },
    BaseFee(u64),
    Balance {
        of: Who,
        balance: u64,
    },
    Code {
        of: Who,
        code: AccountCode,
    },
    Wait {
        ms: u64,
    },
    Remove {
        index: usize,
    },
    /// Reading accounts fails.
    Fail {
        by: Who,
    },
}

#[derive(Debug, Clone, Copy)]
enum Who {
    Native(u8),
    Ethereum(u8),
}

impl Who {
    fn address(self) -> Address {
        match self {
            Self::Native(n) => native(n),
            Self::Ethereum(n) => ethereum(n),
        }
    }

    fn sign(self, draft: &Draft) -> VerifiedTransaction {
        match self {
            Self::Native(n) => draft.by(n),
            Self::Ethereum(n) => draft.by_ethereum(n),
        }
    }
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        (0..SENDERS).prop_map(Who::Native),
        (0..SENDERS).prop_map(Who::Ethereum)
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let fees = || (1_u128..40, 0_u128..40);
    let code = prop_oneof![
        3 => Just(AccountCode::None),
        2 => Just(AccountCode::Delegation),
        1 => Just(AccountCode::Contract)
    ];
    prop_oneof![
        24 => (who(), 0_u64..8, fees(), 0_u64..100_000, 0_usize..60).prop_map(
            |(by, nonce_ahead, (a, b), value, input_bytes)| Event::Send {
                by, nonce_ahead, max_fee: a.max(b), tip: a.min(b), value, input_bytes,
            }
        ),
        3 => (0..SENDERS, 0_u64..3, 0..SENDERS, 0_u64..3, 0_u128..20).prop_map(
            |(by, nonce_ahead, authority, authority_nonce, tip)| Event::Delegate {
                by, nonce_ahead, authority, authority_nonce, tip,
            }
        ),
        4 => (0_usize..6).prop_map(|count| Event::Mine { count }),
        1 => (who(), 1_u64..3).prop_map(|(by, nonces)| Event::UseNonce { by, nonces }),
        2 => (1_usize..4, 0_usize..4)
            .prop_map(|(blocks, mined_again)| Event::Reorganize { blocks, mined_again }),
        2 => (0_u64..40).prop_map(Event::BaseFee),
        2 => (who(), 0_u64..4_000_000).prop_map(|(of, balance)| Event::Balance { of, balance }),
        1 => (who(), code).prop_map(|(of, code)| Event::Code { of, code }),
        2 => (0_u64..6_000).prop_map(|ms| Event::Wait { ms }),
        1 => (0_usize..16).prop_map(|index| Event::Remove { index }),
        1 => who().prop_map(|by| Event::Fail { by }),
    ]
}

/// A pool on a chain whose blocks can be taken back.
struct World {
    bench: Bench,
    /// The transactions of each block, and the accounts before it.
    blocks: Vec<(Vec<VerifiedTransaction>, BTreeMap<Address, SenderState>)>,
}

impl World {
    fn new() -> Self {
        let limits = Limits {
            max_count: 12,
            max_bytes: 2_400,
            max_transaction_bytes: 260,
            per_sender: 4,
            nonce_gap: 5,
            waiting_lifetime_ms: 4_000,
            base_fee_floor: 3,
            ..Limits::default()
        };
        Self {
            bench: Bench::with_limits(limits),
            blocks: Vec::new(),
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Send {
                by,
                nonce_ahead,
                max_fee,
                tip,
                value,
                input_bytes,
            } => {
                let nonce = self.bench.ledger.at(by.address()).nonce + nonce_ahead;
                let draft = draft(nonce)
                    .input(input_bytes)
                    .fees(max_fee, tip)
                    .value(value);
                self.send(&by.sign(&draft));
            }
            Event::Delegate {
                by,
                nonce_ahead,
                authority,
                authority_nonce,
                tip,
            } => {
                let nonce = self.bench.ledger.at(ethereum(by)).nonce + nonce_ahead;
                let signed = authorization(authority, authority_nonce);
                self.send(&draft(nonce).fees(30, tip).delegating(by, vec![signed]));
            }
            Event::Mine { count } => {
                let block: Vec<_> = self.best(count);
                self.connect(block, &[]);
            }
            Event::UseNonce { by, nonces } => {
                self.blocks
                    .push((Vec::new(), self.bench.ledger.accounts.clone()));
                self.bench
                    .set(by.address(), |account| account.nonce += nonces);
            }
            Event::Reorganize {
                blocks,
                mined_again,
            } => self.reorganize(blocks, mined_again),
            Event::BaseFee(base_fee) => drop(self.bench.set_base_fee(base_fee)),
            Event::Balance { of, balance } => {
                self.bench.set(of.address(), |account| {
                    account.balance = U256::from(balance)
                });
            }
            Event::Code { of, code } => {
                drop(self.bench.set(of.address(), |account| account.code = code))
            }
            Event::Wait { ms } => {
                self.bench.now_ms += ms;
                self.bench.move_to(self.bench.pool.tip(), &[], &[], &[]);
            }
            Event::Remove { index } => {
                let Some(hash) = self.bench.pool.iter().nth(index).map(|tx| tx.hash()) else {
                    return;
                };
                assert!(self.bench.pool.remove(self.bench.now_ms, hash).is_some());
            }
            Event::Fail { by } => self.fail(by),
        }
    }

    fn best(&self, count: usize) -> Vec<VerifiedTransaction> {
        let pool = &self.bench.pool;
        pool.best(pool.tip().base_fee)
            .take(count)
            .cloned()
            .collect()
    }

    /// A refusal must change nothing; an admission only what it reports.
    fn send(&mut self, transaction: &VerifiedTransaction) {
        let before = self.hashes();
        let order = self.bench.pool.order.clone();
        let of_sender = |world: &Self| {
            world
                .bench
                .pool
                .by_sender(transaction.sender())
                .map_or(0, |queue| queue.entries.len())
        };
        let of_sender_before = of_sender(self);
        let Ok(admitted) = self.bench.admit(transaction) else {
            assert_eq!(self.bench.pool.order, order);
            return;
        };
        let gone: BTreeSet<B256> = admitted
            .evicted
            .iter()
            .copied()
            .chain(admitted.replaced)
            .collect();
        let mut expected: BTreeSet<B256> = before.difference(&gone).copied().collect();
        assert_eq!(
            expected.len() + gone.len(),
            before.len(),
            "what is gone was there"
        );
        expected.insert(transaction.hash());
        assert_eq!(self.hashes(), expected);
        let limit = self.bench.pool.limits().per_sender;
        assert!(of_sender(self) <= limit.max(of_sender_before));
    }

    fn hashes(&self) -> BTreeSet<B256> {
        self.bench
            .pool
            .iter()
            .map(|transaction| transaction.hash())
            .collect()
    }

    /// Connects a block of transactions, disconnecting what `returned` holds.
    fn connect(&mut self, block: Vec<VerifiedTransaction>, returned: &[VerifiedTransaction]) {
        self.blocks
            .push((block.clone(), self.bench.ledger.accounts.clone()));
        for transaction in &block {
            let account = self.bench.ledger.at(transaction.sender());
            account.nonce += 1;
            account.balance = account.balance.saturating_sub(highest_cost(transaction));
        }
        let mined: Vec<B256> = block.iter().map(|transaction| transaction.hash()).collect();
        let changed: Vec<Address> = self.bench.ledger.accounts.keys().copied().collect();
        let tip = Tip {
            number: self.bench.pool.tip().number + 1,
            ..self.bench.pool.tip()
        };
        self.bench.move_to(tip, &mined, returned, &changed);
        assert!(mined.iter().all(|hash| !self.bench.pool.contains(*hash)));
    }

    fn reorganize(&mut self, blocks: usize, mined_again: usize) {
        let kept = self.blocks.len().saturating_sub(blocks);
        let disconnected = self.blocks.split_off(kept);
        let Some((_, accounts)) = disconnected.first() else {
            return;
        };
        // Accounts that the first of these blocks did not know are as they were at the start.
        let known: Vec<Address> = self.bench.ledger.accounts.keys().copied().collect();
        self.bench.ledger.accounts = accounts.clone();
        for address in known {
            self.bench.ledger.at(address);
        }
        let returned: Vec<_> = disconnected
            .into_iter()
            .flat_map(|(block, _)| block)
            .collect();
        let again = returned.iter().take(mined_again);
        let block = again
            .filter(|tx| self.follows(tx))
            .cloned()
            .collect::<Vec<_>>();
        self.connect(first_per_sender(block), &returned);
    }

    fn follows(&self, transaction: &VerifiedTransaction) -> bool {
        let account = self.bench.ledger.accounts.get(&transaction.sender());
        account.is_some_and(|account| account.nonce == transaction.nonce())
    }

    /// Our own failure changes nothing.
    fn fail(&mut self, by: Who) {
        let order = self.bench.pool.order.clone();
        let old = self.bench.pool.tip();
        let tip = Tip {
            number: old.number + 1,
            base_fee: 1,
            ..old
        };
        let known = self.bench.pool.by_sender(by.address()).is_some();
        let change = TipChange {
            tip,
            mined: &[],
            returned: vec![],
            changed: &[by.address()],
        };
        self.bench.ledger.broken = true;
        let result = self
            .bench
            .pool
            .tip_changed(self.bench.now_ms, change, &self.bench.ledger);
        self.bench.ledger.broken = false;
        assert_eq!(result.is_err(), known);
        if known {
            assert_eq!(self.bench.pool.order, order);
            assert_eq!(self.bench.pool.tip(), old);
        }
    }
}

fn first_per_sender(transactions: Vec<VerifiedTransaction>) -> Vec<VerifiedTransaction> {
    let mut seen = BTreeSet::new();
    transactions
        .into_iter()
        .filter(|transaction| seen.insert(transaction.sender()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_invariants(events in prop::collection::vec(event(), 1..80)) {
        let mut world = World::new();
        for event in events {
            world.apply(event);
            world.bench.pool.assert_consistent();
            for (address, queue) in world.bench.pool.senders() {
                prop_assert_eq!(queue.state(), *world.bench.ledger.at(address), "the pool looked at a change");
            }
        }
    }
}
