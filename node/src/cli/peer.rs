//! `cairn peer`: questions about peers to a node that runs, over its JSON-RPC.

use serde_json::{Value, json};

use super::args::{PeerArgs, PeerCommand};

pub fn run(args: &PeerArgs) -> Result<(), String> {
    let ask = |method: &str, params: Value| ask(&args.rpc, method, &params);
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
                format!(
                    "{}  height {}  {}",
                    word(&peer["enode"]),
                    height(number),
                    word(&peer["name"])
                )
            });
            (answer, text)
        }
        PeerCommand::Add { address } => {
            let answer = ask("admin_addPeer", json!([address]))?;
            (
                answer,
                format!("dialing {address}; `cairn peer why {address}` tells how it goes"),
            )
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
            let text = lines(&answer, "nobody is banned", |ban| {
                format!(
                    "{}  until {} (seconds since 1970)  {}",
                    word(&ban["subject"]),
                    height(&ban["until"]),
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

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

fn height(value: &Value) -> u64 {
    let digits = word(value).trim_start_matches("0x");
    u64::from_str_radix(digits, 16).unwrap_or_default()
}

fn lines(list: &Value, none: &str, line: impl Fn(&Value) -> String) -> String {
    let lines: Vec<_> = list.as_array().into_iter().flatten().map(line).collect();
    match lines.is_empty() {
        true => none.to_owned(),
        false => lines.join("\n"),
    }
}

/// One call to the node.
fn ask(url: &str, method: &str, params: &Value) -> Result<Value, String> {
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let unreachable = |error: ureq::Error| {
        format!(
            "no node answers at {url}: {error}; start one with `cairn run`, or name its address with --rpc URL"
        )
    };
    let mut response = ureq::post(url).send_json(&request).map_err(unreachable)?;
    let answer: Value = response.body_mut().read_json().map_err(unreachable)?;
    match (answer.get("error"), answer.get("result")) {
        (Some(error), _) => Err(word(&error["message"]).to_owned()),
        (None, Some(result)) => Ok(result.clone()),
        (None, None) => Err(format!("what answers at {url} is no JSON-RPC server")),
    }
}
