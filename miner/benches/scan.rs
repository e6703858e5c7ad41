//! Hashes per second of the kernel, beside SHA-256d of the 80 bytes by `sha2`'s ordinary interface.

use cairn_miner::Search;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sha2::{Digest, Sha256};
use std::hint::black_box;

/// Nonces per iteration.
const NONCES: u32 = 100_000;

/// A target that nothing meets, so that every nonce is tried.
const IMPOSSIBLE: [u8; 32] = [0; 32];

fn kernel(header: &[u8; 80]) -> Option<u32> {
    Search::new(header, &IMPOSSIBLE).find(0..=NONCES - 1)
}

fn naive(header: &[u8; 80]) -> Option<u32> {
    let mut header = *header;
    (0..NONCES).find(|nonce| {
        header[76..].copy_from_slice(&nonce.to_le_bytes());
        let hash: [u8; 32] = Sha256::digest(Sha256::digest(header)).into();
        hash.iter().rev().le(IMPOSSIBLE.iter())
    })
}

fn scan(criterion: &mut Criterion) {
    let header = [0x5a; 80];
    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(NONCES.into()));
    group.sample_size(20);
    group.bench_function("kernel", |bencher| {
        bencher.iter(|| kernel(black_box(&header)))
    });
    group.bench_function("naive", |bencher| {
        bencher.iter(|| naive(black_box(&header)))
    });
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
