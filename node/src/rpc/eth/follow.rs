//! Where a listener stands on the chain, and what has changed since.
//!
//! Nobody queues events for listeners: each remembers the last block that it was told of and
//! compares it with the chain when it has time. It misses nothing, however slow it is, and
//! costs the node a few bytes. Filters and subscriptions are listeners alike.

use alloy_rpc_types_eth::{BlockNumberOrTag, Log};

use super::logs::{self, LogFilter, LogQuery, Span, Taken};
use super::lookup;
use crate::chain::{ChainView, HeaderRecord, Tip};
use crate::rpc::error::RpcError;

/// Blocks that a listener is told of at once, and as many that left; the rest come when it asks
/// again.
const MAX_BLOCKS: u64 = 10_000;

/// News for a listener.
#[derive(Debug)]
pub struct News<T> {
    /// What happened, in order.
    pub items: Vec<T>,
    /// Whether there was too much for once.
    pub more: bool,
}

impl<T> News<T> {
    fn halfway(items: Vec<T>) -> Self {
        Self { items, more: true }
    }
}

/// The last block that a listener was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position(Tip);

/// From a position toward the best chain.
struct Step {
    /// Blocks that it was told of and that have left the best chain, from the top downward.
    left: Vec<HeaderRecord>,
    /// Where these end: on the best chain, unless there are more than [`MAX_BLOCKS`].
    end: Position,
    /// Whether that is on the best chain.
    arrived: bool,
}

impl Position {
    fn step(self, view: &ChainView<'_>) -> Result<Step, RpcError> {
        let mut end = self;
        let mut left = Vec::new();
        let mut arrived = end.is_canonical(view)?;
        while !arrived && (left.len() as u64) < MAX_BLOCKS {
            let block = view.header(end.0.hash)?.ok_or_else(|| self.lost())?;
            end = Self::below(&block);
            left.push(block);
            arrived = end.is_canonical(view)?;
        }
        Ok(Step { left, end, arrived })
    }

    fn is_canonical(self, view: &ChainView<'_>) -> Result<bool, RpcError> {
        Ok(view.is_canonical(self.0.number, self.0.hash)?)
    }

    /// At the parent of a block.
    fn below(block: &HeaderRecord) -> Self {
        Self(Tip {
            number: block.number().saturating_sub(1),
            hash: block.header.parent_hash,
        })
    }

    /// The block above it, on the best chain.
    fn next(self) -> u64 {
        self.0.number.saturating_add(1)
    }

    /// What comes after it can no longer be told without a gap.
    fn lost(self) -> RpcError {
        RpcError::Lost {
            number: self.0.number,
            hash: self.0.hash,
        }
    }

    fn at(view: &ChainView<'_>, number: u64) -> Result<Self, RpcError> {
        let hash = view.canonical_hash(number)?;
        let hash = hash.ok_or_else(|| lookup::gap(number))?;
        Ok(Self(Tip { number, hash }))
    }
}

/// Hears of new blocks of the best chain.
#[derive(Debug, Clone)]
pub struct Heads(Position);

impl Heads {
    /// From now on.
    pub fn new(view: &ChainView<'_>) -> Self {
        Self(Position(view.tip()))
    }

    /// The blocks that joined the best chain since the last time, upward.
    pub fn news(&mut self, view: &ChainView<'_>) -> Result<News<HeaderRecord>, RpcError> {
        let step = self.0.step(view)?;
        if !step.arrived {
            self.0 = step.end;
            return Ok(News::halfway(vec![]));
        }
        let first = step.end.next();
        let tip = view.tip().number;
        let last = tip.min(first.saturating_add(MAX_BLOCKS - 1));
        let block = |number| lookup::by_number(view, number)?.ok_or_else(|| lookup::gap(number));
        let items = (first..=last).map(block).collect::<Result<_, RpcError>>()?;
        self.0 = Position::at(view, last)?;
        Ok(News {
            items,
            more: last < tip,
        })
    }
}

/// Hears of logs: of new blocks, and of blocks that leave the best chain.
#[derive(Debug, Clone)]
pub struct Logs {
    filter: LogFilter,
    from: u64,
    to: u64,
    position: Position,
}

impl Logs {
    /// From now on. Blocks that `query` names bound what is told, by their height.
    ///
    /// # Errors
    /// If the query contradicts itself, or is not about blocks to come.
    pub fn new(view: &ChainView<'_>, query: &LogQuery) -> Result<Self, RpcError> {
        let (from, to) = match query.span()? {
            Span::Block(_) => {
                return Err(RpcError::params(
                    "one block has no changes: use eth_getLogs with blockHash",
                ));
            }
            Span::Range { from, to } => (lowest(from), highest(to)),
        };
        if from > to {
            return Err(RpcError::params("invalid block range params"));
        }
        Ok(Self {
            filter: query.filter()?,
            from,
            to,
            position: Position(view.tip()),
        })
    }

    /// What has changed since the last time: logs of blocks that left with `removed`, the
    /// last one first, then those of the blocks that came; together within the limits of one
    /// answer, so that none is lost with an answer that is too large to be sent.
    pub fn news(&mut self, view: &ChainView<'_>) -> Result<News<Log>, RpcError> {
        let step = self.position.step(view)?;
        let concerned = |block: &&HeaderRecord| (self.from..=self.to).contains(&block.number());
        let left: Vec<_> = step.left.iter().filter(concerned).collect();
        let mut taken = Taken::default();
        let removed = logs::removed(view, &left, &self.filter, &mut taken)?;
        let mut items = removed.logs;
        if let Some(last) = left[..removed.blocks].last()
            && removed.blocks < left.len()
        {
            self.position = Position::below(last);
            return Ok(News::halfway(items));
        }
        if !step.arrived {
            self.position = step.end;
            return Ok(News::halfway(items));
        }
        let tip = view.tip().number;
        let (first, last) = (step.end.next().max(self.from), tip.min(self.to));
        let mut told_to = tip;
        if first <= last {
            let found = logs::search(view, &self.filter, first, last, &mut taken)?;
            items.extend(found.logs);
            if found.stopped.is_some() {
                told_to = found.searched_to;
            }
        }
        self.position = Position::at(view, told_to)?;
        Ok(News {
            items,
            more: told_to < tip,
        })
    }
}

fn lowest(from: BlockNumberOrTag) -> u64 {
    from.as_number().unwrap_or(0)
}

fn highest(to: BlockNumberOrTag) -> u64 {
    match to {
        BlockNumberOrTag::Earliest => 0,
        number => number.as_number().unwrap_or(u64::MAX),
    }
}
