//! `cairn spec list`, `show` and `new`.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use alloy_primitives::utils::parse_ether;
use alloy_primitives::{Address, U256};
use cairn_genesis::{ChainSpec, GenesisAccount, SpecError};

use super::args::{SpecArgs, SpecCommand};
use super::{address, load_spec, print, value};
use crate::clock;

/// Coins for an address in the genesis block.
#[derive(Debug, Clone, Copy)]
pub struct Fund {
    address: Address,
    balance: U256,
}

/// Runs the command.
pub fn run(args: &SpecArgs) -> Result<(), String> {
    match &args.command {
        SpecCommand::List { json } => list(*json),
        SpecCommand::Show { chain } => print(load_spec(chain)?.to_json().trim_end()),
        SpecCommand::New {
            name,
            chain_id,
            from,
            funds,
            out,
        } => new(name, *chain_id, from, funds, out.as_deref()),
    }
}

fn list(json: bool) -> Result<(), String> {
    let specs = builtin_specs();
    if json {
        let rows: Vec<_> = specs
            .map(|spec| {
                serde_json::json!({
                    "name": spec.name,
                    "chainId": spec.chain_id,
                    "genesisHash": spec.genesis_hash(),
                    "spacing": spec.spacing,
                })
            })
            .collect();
        return print(serde_json::Value::Array(rows));
    }
    let mut table = format!(
        "{:<10} {:>8}  {:>7}  genesis",
        "name", "chain id", "spacing"
    );
    for spec in specs {
        let (name, id, spacing) = (&spec.name, spec.chain_id, spec.spacing);
        let hash = spec.genesis_hash();
        table += &format!("\n{name:<10} {id:>8}  {spacing:>5} s  {hash}");
    }
    print(table)
}

fn new(
    name: &str,
    chain_id: u64,
    from: &str,
    funds: &[Fund],
    out: Option<&Path>,
) -> Result<(), String> {
    let mut spec = ChainSpec::clone(&*load_spec(from)?);
    spec.name = name.to_owned();
    spec.chain_id = chain_id;
    spec.genesis_time = clock::now().s();
    if !funds.is_empty() {
        spec.alloc.retain(|_, account| !account.code.is_empty());
        spec.alloc.extend(funds.iter().map(Fund::account));
    }
    let json = spec.to_json();
    ChainSpec::from_json(&json).map_err(|error| format!("this makes no valid spec: {error}"))?;
    let path = out.map_or_else(|| PathBuf::from(format!("{name}.json")), Path::to_owned);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(|error| unwritable(&path, &error))?;
    file.write_all(json.as_bytes())
        .map_err(|error| unwritable(&path, &error))?;
    let (file, genesis) = (path.display(), spec.genesis_hash());
    print(format_args!(
        "wrote {file}; genesis {genesis}\nstart it with: cairn run --chain {file} --mine --mine-to ADDRESS"
    ))
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => format!(
            "cannot write {path}: it is there already, and specs are not overwritten; name another file with --out FILE"
        ),
        _ => format!("cannot write {path}: {error}; name another file with --out FILE"),
    }
}

/// A name that a new chain may have.
pub fn new_name(name: &str) -> Result<String, String> {
    if ChainSpec::builtin(name).is_some() {
        return Err("a built-in chain has this name; choose another".into());
    }
    check_identity(name, 1)
        .map(|()| name.to_owned())
        .map_err(|error| error.to_string())
}

/// A chain id that a new chain may have.
pub fn new_chain_id(text: &str) -> Result<u64, String> {
    let chain_id = value::number(1, u64::MAX)(text)?;
    let mut specs = builtin_specs();
    if let Some(spec) = specs.find(|spec| spec.chain_id == chain_id) {
        let name = &spec.name;
        return Err(format!(
            "the built-in chain `{name}` has this chain id; choose one that nobody uses"
        ));
    }
    check_identity("any", chain_id)
        .map(|()| chain_id)
        .map_err(|error| error.to_string())
}

/// Checks what identifies a chain as every spec is checked.
fn check_identity(name: &str, chain_id: u64) -> Result<(), SpecError> {
    let dev = builtin_specs().next().cloned();
    let spec = dev.map(|spec| ChainSpec {
        name: name.to_owned(),
        chain_id,
        ..spec
    });
    spec.map_or(Ok(()), |spec| spec.validate())
}

fn builtin_specs() -> impl Iterator<Item = &'static ChainSpec> {
    let names = ChainSpec::builtin_names().iter();
    names.filter_map(|name| ChainSpec::builtin(name))
}

impl Fund {
    /// An address that is funded more than once.
    pub fn repeated(funds: &[Self]) -> Option<Address> {
        let mut seen = HashSet::new();
        let repeated = funds.iter().find(|fund| !seen.insert(fund.address));
        repeated.map(|fund| fund.address)
    }

    fn account(&self) -> (Address, GenesisAccount) {
        let account = GenesisAccount {
            balance: self.balance,
            ..GenesisAccount::default()
        };
        (self.address, account)
    }
}

impl FromStr for Fund {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const WRONG: &str = "write ADDRESS=AMOUNT, the amount in coins";
        let (address, amount) = text.split_once('=').ok_or(WRONG)?;
        Ok(Self {
            address: address::parse(address).map_err(|error| format!("{WRONG}: {error}"))?,
            balance: parse_ether(amount).map_err(|_| WRONG)?,
        })
    }
}
