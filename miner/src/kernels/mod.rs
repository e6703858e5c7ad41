//! How nonces are tried. Callers know one function, so that a faster kernel changes nothing else.

mod portable;

use crate::search::Search;
use std::ops::RangeInclusive;

/// The lowest nonce of the range that meets the search's target.
pub(crate) fn find(search: &Search, nonces: RangeInclusive<u32>) -> Option<u32> {
    portable::find(search, nonces)
}
