//! `cairn spec list`, `show` and `new`.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use alloy_primitives::utils::parse_ether;
use alloy_primitives::{Address, U256};
use cairn_genesis::{ChainSpec, GenesisAccount};

use super::args::{SpecArgs, SpecCommand};
use super::load_spec;
use crate::clock;

/// Runs the command.
pub fn run(args: &SpecArgs) -> Result<(), String> {
    match &args.command {
        SpecCommand::List { json } => {
            list(*json);
            Ok(())
        }
        SpecCommand::Show { chain } => {
            println!("{}", load_spec(chain)?.to_json());
            Ok(())
        }
        SpecCommand::New {
            name,
            chain_id,
            from,
            funds,
            out,
        } => new(name, *chain_id, from, funds, out.as_deref()),
    }
}

fn list(json: bool) {
    let specs = ChainSpec::builtin_names()
        .iter()
        .filter_map(|name| ChainSpec::builtin(name));
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
        println!("{}", serde_json::Value::Array(rows));
        return;
    }
    println!("{:<10} {:>8}  {:>7}  genesis", "name", "chain id", "spacing");
    for spec in specs {
        let (name, id, spacing) = (&spec.name, spec.chain_id, spec.spacing);
        println!("{name:<10} {id:>8}  {spacing:>5} s  {}", spec.genesis_hash());
    }
}

fn new(
    name: &str,
    chain_id: u64,
    from: &str,
    funds: &[String],
    out: Option<&Path>,
) -> Result<(), String> {
    let mut spec = ChainSpec::clone(&*load_spec(from)?);
    spec.name = name.to_owned();
    spec.chain_id = chain_id;
    spec.genesis_time = clock::now().s();
    if !funds.is_empty() {
        spec.alloc.retain(|_, account| !account.code.is_empty());
        spec.alloc.extend(parse_funds(funds)?);
    }
    let json = spec.to_json();
    ChainSpec::from_json(&json).map_err(|error| format!("this makes no valid spec: {error}"))?;
    let path = out.map_or_else(|| PathBuf::from(format!("{name}.json")), Path::to_owned);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    file.write_all(format!("{json}\n").as_bytes())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    println!(
        "wrote {}; genesis {}\nstart it with: cairn run --chain {} --mine --mine-to ADDRESS",
        path.display(),
        spec.genesis_hash(),
        path.display()
    );
    Ok(())
}

fn parse_funds(funds: &[String]) -> Result<BTreeMap<Address, GenesisAccount>, String> {
    funds.iter().map(|fund| parse_fund(fund)).collect()
}

fn parse_fund(fund: &str) -> Result<(Address, GenesisAccount), String> {
    let wrong = || format!("--fund takes ADDRESS=AMOUNT with an amount in coins, not `{fund}`");
    let (address, amount) = fund.split_once('=').ok_or_else(wrong)?;
    let address: Address = address.parse().map_err(|_| wrong())?;
    let balance: U256 = parse_ether(amount).map_err(|_| wrong())?;
    let account = GenesisAccount {
        balance,
        ..GenesisAccount::default()
    };
    Ok((address, account))
}
