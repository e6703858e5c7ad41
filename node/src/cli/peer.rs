//! `cairn peer`: questions about peers to a node that runs, over its JSON-RPC.

use std::time::Duration;

use serde_json::{Value, json};

use super::args::{PeerArgs, PeerCommand};
use crate::clock;

/// How often it is looked whether a peer that was added is there, and after what time again:
/// two seconds in all, enough for one that answers.
const LOOKS: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

pub fn run(args: &PeerArgs) -> Result<(), String> {
    let ask = |method: &str, params: Value| args.rpc.ask(method, &params);
    let (answer, text) = match &args.command {
        PeerCommand::Why { address } => {
            let answer = ask("cairn_peerWhy", json!([address]))?;
            let text = answer.as_str().unwrap_or_default().to_owned();
            (answer, text)
        }
        PeerCommand::List => {
            let answer = ask("admin_peers", json!([]))?;
            let text = lines(&answer, "no peers are connected", |peer| {
                let number = &peer["protocols"]["cairn"]["number"];
                let way = match peer["network"]["inbound"] == json!(true) {
                    true => "inbound",
                    false => "outbound",
                };
                format!(
                    "{}  {way}  height {}  {}",
                    word(&peer["enode"]),
                    quantity(number),
                    word(&peer["name"])
                )
            });
            (answer, text)
        }
        PeerCommand::Add { address } => {
            let answer = ask("admin_addPeer", json!([address]))?;
            let rpc = args.rpc.option();
            let text = match comes(address, || ask("admin_peers", json!([])))? {
                true => format!("connected with {address}"),
                false => format!(
                    "dialing {address}, again and again; `cairn peer why {address}{rpc}` tells how it goes"
                ),
            };
            (answer, text)
        }
        PeerCommand::Remove { peer } => {
            let answer = ask("admin_removePeer", json!([peer]))?;
            let text = match answer == json!(true) {
                true => format!("left {peer}"),
                false => format!("{peer} was not known"),
            };
            (answer, text)
        }
        PeerCommand::Bans => {
            let answer = ask("cairn_bans", json!([]))?;
            let now_s = clock::now().s();
            let text = lines(&answer, "nobody is banned", |ban| {
                format!(
                    "{}  for another {} min  {}",
                    word(&ban["subject"]),
                    minutes_left(quantity(&ban["until"]), now_s),
                    word(&ban["reason"])
                )
            });
            (answer, text)
        }
        PeerCommand::Unban { subject } => {
            let answer = ask("cairn_unban", json!([subject]))?;
            let text = match answer == json!(true) {
                true => format!("{subject} may connect again"),
                false => format!("{subject} was not banned"),
            };
            (answer, text)
        }
    };
    super::print(if args.json { answer.to_string() } else { text })
}

/// Whether a peer that was added is soon among those that are connected.
fn comes(address: &str, peers: impl Fn() -> Result<Value, String>) -> Result<bool, String> {
    let (place, id) = match address.split_once("/p2p/") {
        Some((place, id)) => (place, Some(id)),
        None => (address, None),
    };
    // One with an id may have called first, from another port.
    let is_it = |peer: &Value| match id {
        Some(id) => word(&peer["id"]) == id,
        None => word(&peer["enode"]).starts_with(&format!("{place}/")),
    };
    for _ in 0..LOOKS {
        if peers()?.as_array().is_some_and(|all| all.iter().any(is_it)) {
            return Ok(true);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
    Ok(false)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn quantity(value: &Value) -> u64 {
    let digits = word(value).trim_start_matches("0x");
    u64::from_str_radix(digits, 16).unwrap_or_default()
}

/// Begun minutes count: what lasts is never said to be over.
fn minutes_left(until_s: u64, now_s: u64) -> u64 {
    until_s.saturating_sub(now_s).div_ceil(60)
}

fn lines(list: &Value, none: &str, line: impl Fn(&Value) -> String) -> String {
    let lines: Vec<_> = list.as_array().into_iter().flatten().map(line).collect();
    match lines.is_empty() {
        true => none.to_owned(),
        false => lines.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bans_are_told_in_minutes() {
        let left = |until_s| minutes_left(until_s, 1000);
        assert_eq!([1000, 1001, 1060, 1061].map(left), [0, 1, 1, 2]);
        assert_eq!(left(999), 0, "this clock may be ahead of the node's");
    }
}
