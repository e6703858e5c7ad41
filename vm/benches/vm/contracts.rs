//! The programs, from the hex files in `benches/contracts/`.

use std::fs;
use std::path::Path;

use alloy_primitives::{Bytes, hex};

/// `Benchmark()`.
const BENCHMARK: [u8; 4] = [0x30, 0x62, 0x7b, 0x7c];

/// A program.
pub struct Contract {
    pub name: &'static str,
    /// Code that deploys it; empty where there is only `runtime`.
    pub creation: Bytes,
    /// Its code, where nothing deploys it.
    pub runtime: Option<Bytes>,
    pub calldata: Bytes,
}

/// All programs, by name.
pub fn all() -> Vec<Contract> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/contracts");
    let entries = fs::read_dir(&folder).expect("the folder can be read");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".hex")).collect();
    names.sort_unstable();
    let read = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).ok()?;
        Some(Bytes::from(hex::decode(text.trim()).expect("hex")))
    };
    let mut contracts = Vec::new();
    for file in names {
        let Some(name) = file
            .strip_suffix(".hex")
            .filter(|name| !name.ends_with(".calldata"))
        else {
            continue;
        };
        let code = read(&file).expect("the file was listed");
        let (name, runtime) = match name.strip_suffix(".code") {
            Some(name) => (name, Some(code.clone())),
            None => (name, None),
        };
        let calldata = read(&format!("{name}.calldata.hex")).unwrap_or_else(|| BENCHMARK.into());
        let creation = if runtime.is_some() {
            Bytes::new()
        } else {
            code
        };
        contracts.push(Contract {
            name: String::leak(name.to_owned()),
            creation,
            runtime,
            calldata,
        });
    }
    contracts
}
