//! The binary `cairn`.

use tikv_jemallocator::Jemalloc;

/// Takes RocksDB's allocations as well. What one thread puts into the block cache another one
/// frees, and the C library's allocator would keep it for the first for ever.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> std::process::ExitCode {
    cairn_node::cli::main()
}
