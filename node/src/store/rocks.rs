//! The database on disk. RocksDB is used in this file only.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy_primitives::B256;
use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, BoundColumnFamily, Cache, ColumnFamilyDescriptor,
    DBAccess, DBCompressionType, DBRawIteratorWithThreadMode, MultiThreaded, Options, ReadOptions,
    SnapshotWithThreadMode, WriteBatch, WriteOptions,
};

use super::schema::{SCHEMA_VERSION, meta};
use super::{Batch, Column, Cursor, Durability, Reader, Store, StoreError};

type Db = rocksdb::DBWithThreadMode<MultiThreaded>;

/// Uncompressed blocks that stay in memory. Trades the memory of an idle node against
/// disk reads: with the memtables and some 40 MB of everything else it stays below
/// 150 MB, however long the node has run (decision 0016).
const BLOCK_CACHE_BYTES: usize = 64 << 20;

/// Memory of all columns together before the oldest memtable is flushed.
const WRITE_BUFFERS_BYTES: usize = 32 << 20;

/// Memory of one column before it is flushed. Larger buffers let a value that is
/// overwritten soon (a hot account, an upper trie node) reach the disk only once.
const WRITE_BUFFER_BYTES: usize = 16 << 20;

/// RocksDB below one directory, which no second process can open.
pub struct Rocks {
    db: Db,
    path: PathBuf,
    // Held for its lock, which the operating system releases with the process.
    _lock: File,
}

/// What one column takes on disk and in memory.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct ColumnSize {
    /// RocksDB's estimate of the number of keys.
    pub keys: u64,
    /// Bytes of its table files.
    pub disk_bytes: u64,
    /// Bytes of its memtables.
    pub memory_bytes: u64,
}

impl Rocks {
    /// Opens the database at `path`, or makes it for the chain of `genesis`.
    ///
    /// Refuses a directory that another process uses, that belongs to another
    /// chain, or that a later schema wrote; such a directory is left untouched.
    pub fn open(path: &Path, genesis: B256) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|error| unusable(path, &error))?;
        let lock = lock(path)?;
        let directory = path.join("db");
        check_identity(path, &directory, genesis)?;
        let db = Db::open_cf_descriptors(&options(), &directory, descriptors(&directory))
            .map_err(|error| translate(path, &error))?;
        let rocks = Self {
            db,
            path: path.to_owned(),
            _lock: lock,
        };
        rocks.write_identity(genesis)?;
        Ok(rocks)
    }

    /// The data directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Sizes of one column.
    pub fn column_size(&self, column: Column) -> Result<ColumnSize, StoreError> {
        let handle = self.handle(column);
        let property = |name: &str| {
            self.db
                .property_int_value_cf(&handle, name)
                .map(Option::unwrap_or_default)
                .map_err(|error| translate(&self.path, &error))
        };
        Ok(ColumnSize {
            keys: property("rocksdb.estimate-num-keys")?,
            disk_bytes: property("rocksdb.total-sst-files-size")?,
            memory_bytes: property("rocksdb.cur-size-all-mem-tables")?,
        })
    }

    fn write_identity(&self, genesis: B256) -> Result<(), StoreError> {
        if self.get(Column::Meta, meta::SCHEMA)?.is_some() {
            return Ok(());
        }
        let mut batch = Batch::default();
        batch.put(Column::Meta, meta::SCHEMA, SCHEMA_VERSION.to_be_bytes());
        batch.put(Column::Meta, meta::GENESIS, genesis.to_vec());
        self.write(batch, Durability::Synced)
    }

    fn handle(&self, column: Column) -> Arc<BoundColumnFamily<'_>> {
        self.db
            .cf_handle(column.name())
            .expect("every column is opened with the database")
    }
}

impl Reader for Rocks {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db
            .get_cf(&self.handle(column), key)
            .map_err(|error| translate(&self.path, &error))
    }

    fn cursor<'a>(&'a self, column: Column) -> Box<dyn Cursor + 'a> {
        Box::new(RocksCursor {
            inner: self.db.raw_iterator_cf(&self.handle(column)),
            path: &self.path,
        })
    }
}

impl Store for Rocks {
    fn write(&self, batch: Batch, durability: Durability) -> Result<(), StoreError> {
        let handles = Column::ALL.map(|column| self.handle(column));
        let mut writes = WriteBatch::with_capacity_bytes(batch.size_bytes() + 4096);
        for operation in batch.into_operations() {
            let handle = &handles[operation.column as usize];
            match operation.value {
                Some(value) => writes.put_cf(handle, operation.key, value),
                None => writes.delete_cf(handle, operation.key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Synced);
        self.db
            .write_opt(writes, &options)
            .map_err(|error| translate(&self.path, &error))
    }

    fn snapshot(&self) -> Box<dyn Reader + '_> {
        Box::new(Snapshot {
            inner: self.db.snapshot(),
            rocks: self,
        })
    }
}

struct Snapshot<'a> {
    inner: SnapshotWithThreadMode<'a, Db>,
    rocks: &'a Rocks,
}

impl Reader for Snapshot<'_> {
    fn get(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner
            .get_cf(&self.rocks.handle(column), key)
            .map_err(|error| translate(&self.rocks.path, &error))
    }

    fn cursor<'a>(&'a self, column: Column) -> Box<dyn Cursor + 'a> {
        let handle = self.rocks.handle(column);
        Box::new(RocksCursor {
            inner: self
                .inner
                .raw_iterator_cf_opt(&handle, ReadOptions::default()),
            path: &self.rocks.path,
        })
    }
}

struct RocksCursor<'a, D: DBAccess> {
    inner: DBRawIteratorWithThreadMode<'a, D>,
    path: &'a Path,
}

impl<D: DBAccess> RocksCursor<'_, D> {
    fn status(&self) -> Result<(), StoreError> {
        self.inner
            .status()
            .map_err(|error| translate(self.path, &error))
    }
}

impl<D: DBAccess> Cursor for RocksCursor<'_, D> {
    fn seek(&mut self, key: &[u8]) -> Result<(), StoreError> {
        self.inner.seek(key);
        self.status()
    }

    fn advance(&mut self) -> Result<(), StoreError> {
        if self.inner.valid() {
            self.inner.next();
        }
        self.status()
    }

    fn entry(&self) -> Option<(&[u8], &[u8])> {
        self.inner.item()
    }
}

/// Refuses a database that is not ours to write to.
fn check_identity(path: &Path, directory: &Path, genesis: B256) -> Result<(), StoreError> {
    let Some(Identity { schema, chain }) = identity(path, directory)? else {
        return Ok(());
    };
    let found = <[u8; 4]>::try_from(schema.as_slice())
        .map(u32::from_be_bytes)
        .map_err(|_| StoreError::corrupt("the schema version is not 4 bytes long"))?;
    if found != SCHEMA_VERSION {
        return Err(StoreError::Schema {
            path: path.to_owned(),
            found,
            supported: SCHEMA_VERSION,
        });
    }
    match chain == genesis.as_slice() {
        true => Ok(()),
        false => Err(StoreError::OtherChain {
            path: path.to_owned(),
            found: alloy_primitives::hex::encode_prefixed(chain),
            expected: genesis.to_string(),
        }),
    }
}

/// What a database says of itself, as it is stored.
struct Identity {
    schema: Vec<u8>,
    chain: Vec<u8>,
}

/// `None` for a database that is not made yet. Nothing is written to find out: to open one for
/// writing replaces some of its files.
fn identity(path: &Path, directory: &Path) -> Result<Option<Identity>, StoreError> {
    if !directory.join("CURRENT").exists() {
        return check_unused(directory).map(|()| None);
    }
    let failed = |error| translate(path, &error);
    let name = Column::Meta.name();
    let columns = Db::list_cf(&options(), directory).map_err(failed)?;
    if !columns.iter().any(|column| column == name) {
        // The end came while it was being made.
        return Ok(None);
    }
    let db = Db::open_cf_for_read_only(&options(), directory, [name], false).map_err(failed)?;
    let handle = db.cf_handle(name).expect("the column was opened");
    let get = |key: &[u8]| db.get_cf(&handle, key).map_err(failed);
    let chain = get(meta::GENESIS)?.unwrap_or_default();
    Ok(get(meta::SCHEMA)?.map(|schema| Identity { schema, chain }))
}

/// Without its file `CURRENT` RocksDB takes a directory for a new one, and removes what it finds.
fn check_unused(directory: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let is_data = |path: &Path| {
        path.extension()
            .is_some_and(|end| end == "sst" || end == "log")
    };
    match entries.into_iter().any(|entry| is_data(&entry.path())) {
        true => Err(StoreError::corrupt("its file CURRENT is missing")),
        false => Ok(()),
    }
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let file = path.join("lock");
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&file)
        .map_err(|error| unusable(path, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse {
            path: path.to_owned(),
        }),
        Err(fs::TryLockError::Error(error)) => Err(unusable(path, &error)),
    }
}

fn unusable(path: &Path, error: &io::Error) -> StoreError {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::StorageFull => StoreError::DiskFull { path },
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => StoreError::Directory {
            path,
            reason: "a file is in its place".into(),
        },
        _ => StoreError::Directory {
            path,
            reason: error.to_string(),
        },
    }
}

/// RocksDB passes on what the system says as text alone.
fn translate(path: &Path, error: &rocksdb::Error) -> StoreError {
    let path = path.to_owned();
    // It goes on within a sentence of ours.
    let text = error.to_string().trim_end_matches(['.', ' ']).to_owned();
    let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
    if says(&["No space left", "Out of space", "Disk quota exceeded"]) {
        return StoreError::DiskFull { path };
    }
    if says(&["Permission denied", "Read-only file system"]) {
        return StoreError::Directory { path, reason: text };
    }
    let damaged = error.kind() == rocksdb::ErrorKind::Corruption;
    match damaged || says(&["No such file or directory"]) {
        true => StoreError::Corrupt(text),
        false => StoreError::Io(text),
    }
}

fn options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_db_write_buffer_size(WRITE_BUFFERS_BYTES);
    options.set_max_background_jobs(2);
    options.set_max_open_files(512);
    options.set_max_total_wal_size(256 << 20);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(1 << 20);
    options
}

/// All columns of this version, and those that a later version may have left:
/// they must be opened for its schema version to be read, and are not touched.
fn descriptors(directory: &Path) -> Vec<ColumnFamilyDescriptor> {
    let cache = Cache::new_lru_cache(BLOCK_CACHE_BYTES);
    let ours = Column::ALL.map(Column::name);
    let found = Db::list_cf(&Options::default(), directory).unwrap_or_default();
    let unknown = found
        .into_iter()
        .filter(|name| !ours.contains(&name.as_str()))
        .map(|name| ColumnFamilyDescriptor::new(name, Options::default()));
    Column::ALL
        .into_iter()
        .map(|column| ColumnFamilyDescriptor::new(column.name(), column_options(column, &cache)))
        .chain(unknown)
        .collect()
}

fn column_options(column: Column, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    // Index and filters in small pieces: as one block each they have megabytes, and
    // a full cache would read them again for every key.
    blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    blocks.set_partition_filters(true);
    blocks.set_cache_index_and_filter_blocks(true);
    blocks.set_pin_top_level_index_and_filter(true);
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    blocks.set_format_version(6);
    let looked_up_by_key = !matches!(
        column,
        Column::AccountHistory
            | Column::StorageHistory
            | Column::Changes
            | Column::Side
            | Column::SideReceipts
    );
    if looked_up_by_key {
        blocks.set_bloom_filter(10.0, false);
    }
    let mut options = Options::default();
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    // Hashes do not compress; bodies and receipts do.
    options.set_compression_type(match column {
        Column::Bodies | Column::Receipts | Column::SideReceipts | Column::Code => {
            DBCompressionType::Lz4
        }
        _ => DBCompressionType::None,
    });
    options.set_block_based_table_factory(&blocks);
    options
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// Only what hangs takes longer.
    const PATIENCE: Duration = Duration::from_secs(120);

    fn property(rocks: &Rocks, column: Column, name: &str) -> usize {
        let handle = rocks.handle(column);
        let value = rocks.db.property_int_value_cf(&handle, name).unwrap();
        usize::try_from(value.unwrap()).unwrap()
    }

    fn memtables(rocks: &Rocks) -> usize {
        let of = |column| property(rocks, column, "rocksdb.cur-size-all-mem-tables");
        Column::ALL.into_iter().map(of).sum()
    }

    /// What the documentation says of the memory of a node rests on these numbers.
    #[test]
    fn caches_and_memtables_are_small_and_columns_share_them() {
        const { assert!(BLOCK_CACHE_BYTES >= 64 << 20) };
        const { assert!(BLOCK_CACHE_BYTES + WRITE_BUFFERS_BYTES <= 96 << 20) };
        let home = tempfile::tempdir().unwrap();
        let rocks = Rocks::open(home.path(), B256::ZERO).unwrap();
        let columns = [Column::Bodies, Column::Receipts, Column::Changes];
        for column in columns {
            let capacity = property(&rocks, column, "rocksdb.block-cache-capacity");
            assert_eq!(capacity, BLOCK_CACHE_BYTES);
            for key in 0..15u8 {
                let mut batch = Batch::default();
                batch.put(column, [key], vec![key; 1 << 20]);
                rocks.write(batch, Durability::Buffered).unwrap();
            }
        }
        let start = Instant::now();
        while memtables(&rocks) > WRITE_BUFFERS_BYTES {
            assert!(start.elapsed() < PATIENCE, "nothing is flushed");
            std::thread::sleep(Duration::from_millis(5));
        }
        for column in columns {
            assert_eq!(rocks.get(column, &[14]).unwrap(), Some(vec![14; 1 << 20]));
        }
    }
}
