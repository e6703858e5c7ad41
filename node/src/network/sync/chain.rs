//! Headers that follow each other, checked, in memory.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::{B256, U256};
use cairn_genesis::check::after_parent::{self, Parent};
use cairn_genesis::check::alone;
use cairn_genesis::{ChainSpec, Header, Seal};

use crate::chain::HeaderRecord;
use crate::network::Fault;
use crate::network::message::SealedPair;

/// A header with what its branch has summed up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Block hash.
    pub hash: B256,
    /// The header.
    pub header: Header,
    /// The seal.
    pub seal: Seal,
    /// Work of the branch up to and including it.
    pub work: U256,
    /// Seconds that the difficulty leaves out up to it (R-DIF-5).
    pub skipped: u64,
}

impl From<HeaderRecord> for Link {
    fn from(record: HeaderRecord) -> Self {
        Self {
            hash: record.hash,
            header: record.header,
            seal: record.seal,
            work: record.work,
            skipped: record.skipped,
        }
    }
}

/// Headers upward from one that is known.
#[derive(Debug, Clone)]
pub struct HeaderChain {
    /// What the first one follows.
    pub base: Arc<Link>,
    /// The headers.
    pub links: VecDeque<Arc<Link>>,
}

/// What became of headers that were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extended {
    /// All follow.
    All,
    /// The rest lies too far in the future to be judged now.
    NotYet,
}

impl HeaderChain {
    /// No headers above `base`.
    pub fn new(base: Arc<Link>) -> Self {
        Self {
            base,
            links: VecDeque::new(),
        }
    }

    /// The last header.
    pub fn tip(&self) -> &Arc<Link> {
        self.links.back().unwrap_or(&self.base)
    }

    /// Adds headers: proof of work first, then what the parent says about them.
    ///
    /// # Errors
    /// The peer that sent them is to blame.
    pub fn extend(
        &mut self,
        spec: &ChainSpec,
        now_s: u64,
        headers: &[SealedPair],
    ) -> Result<Extended, Fault> {
        for (header, seal) in headers {
            let tip = self.tip();
            if header.parent_hash != tip.hash {
                return Err(Fault::Headers);
            }
            let sealed = alone::header(spec, header, seal).map_err(Fault::Header)?;
            let parent = Parent {
                hash: tip.hash,
                header: &tip.header,
                skipped: tip.skipped,
                work: tip.work,
            };
            let linked = after_parent::header(spec, &parent, &sealed).map_err(Fault::Header)?;
            if after_parent::not_yet(spec, header, now_s).is_some() {
                return Ok(Extended::NotYet);
            }
            self.links.push_back(Arc::new(Link {
                hash: sealed.hash(),
                header: header.clone(),
                seal: *seal,
                work: linked.work,
                skipped: linked.skipped,
            }));
        }
        Ok(Extended::All)
    }

    /// Lets go of all headers but the last, which becomes the base.
    pub fn forget(&mut self) {
        if let Some(last) = self.links.pop_back() {
            self.base = last;
            self.links.clear();
        }
    }
}
