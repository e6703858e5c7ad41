//! Taking in a long run of blocks: signatures of the next blocks are verified on all
//! cores while the present ones are executed, and one batch carries many blocks.

use cairn_genesis::{Block, BlockFault, ChainSpec, DecodeError, VerifiedBlock};
use rayon::prelude::*;

use super::{BlockError, Chain, verify};

/// Bytes of encoded blocks that are worked on together. Trades memory (two such
/// chunks, decoded) against batches that are too small to share trie nodes.
const CHUNK_BYTES: usize = 4 << 20;

/// Why an import ended early. Blocks before the failing chunk are in the store.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A block cannot be decoded.
    #[error("a block does not decode: {0}")]
    Decode(#[from] DecodeError),
    /// A block breaks a rule, or the store failed.
    #[error(transparent)]
    Block(#[from] BlockError),
}

/// Extends the tip of `chain` by `blocks`, encoded, in order. Returns how many.
/// `progress` is told the height after each chunk.
///
/// # Errors
/// The first block that is refused.
pub fn import(
    chain: &mut Chain,
    now_s: u64,
    blocks: impl IntoIterator<Item = Vec<u8>, IntoIter: Send>,
    mut progress: impl FnMut(u64),
) -> Result<u64, ImportError> {
    let spec = chain.spec().clone();
    let mut blocks = blocks.into_iter();
    let mut imported = 0;
    let mut chunk = verified(&spec, &next_chunk(&mut blocks))?;
    while !chunk.is_empty() {
        let (extended, next) = rayon::join(
            || chain.extend(now_s, &chunk, &mut Vec::new()),
            || verified(&spec, &next_chunk(&mut blocks)),
        );
        extended?;
        imported += chunk.len() as u64;
        progress(chain.tip().number());
        chunk = next?;
    }
    Ok(imported)
}

fn next_chunk(blocks: &mut impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut size_bytes = 0;
    let mut chunk = Vec::new();
    while size_bytes < CHUNK_BYTES
        && let Some(block) = blocks.next()
    {
        size_bytes += block.len();
        chunk.push(block);
    }
    chunk
}

fn verified(spec: &ChainSpec, chunk: &[Vec<u8>]) -> Result<Vec<VerifiedBlock>, ImportError> {
    let _span = tracing::debug_span!("verify").entered();
    chunk
        .par_iter()
        .map(|bytes| {
            let block = Block::decode(bytes, spec.max_block_bytes)?;
            verify::block(spec, block).map_err(|fault: BlockFault| BlockError::from(fault).into())
        })
        .collect()
}
