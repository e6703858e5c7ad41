//! The command line: what can be asked for, and what `--help` teaches.

use std::path::PathBuf;

use alloy_primitives::Bytes;
use cairn_vm::gas::TRANSACTION_GAS_CAP;
use clap::{Args, Parser, Subcommand, builder::FalseyValueParser, value_parser};

use crate::hex::Hex;

/// The most gas that `run` gives: what it costs to pass the input on comes on top.
const MAX_GAS: u64 = 1 << 62;

const EXAMPLES: &str = "\
Examples:
  cairn-vm statetest fixtures/              run every *.json below a folder
  cairn-vm statetest add.json --trace add   one case, instruction by instruction
  cairn-vm run --code 602a60005260206000f3  returns the number 42
  cairn-vm run --code @token.hex --input 18160ddd --gas 100000 --trace
  cairn-vm disasm @token.hex                blocks, gas, jump targets

Exit codes: 0 done, 1 failed, 2 usage.";

const STATETEST_HELP: &str = "\
A fixture is what ethereum/execution-spec-tests calls a state test; only its post-states for Osaka count. A case
passes if the root of the state and the hash of the logs are as the fixture says; where an exception is expected, if the
transaction is invalid and the state unchanged.

The last line is `N passed, M failed`. With --json there is a JSON object per case and one for the sum in its place,
with --trace an object per instruction and EIP-3155's summary; the last line then goes to stderr.

Examples:
  cairn-vm statetest fixtures/state_tests
  cairn-vm statetest --json fixtures/ | jq 'select(.pass == false).name'
  cairn-vm statetest --trace 'test_clz[fork_Osaka-state_test]' fixtures/ | jq -c '[.opName, .gas]'";

const RUN_HELP: &str = "\
The code stands at 0x000000000000000000000000000000000000c0de, and 0x000000000000000000000000000000000000ca11 calls it.
Nothing else exists but the precompiles. The block has the number 1, the timestamp 1 and the chain id 31337. Gas is what
the code itself may use: no transaction is paid for. A revert is a result, not a failure of this program.

Examples:
  cairn-vm run --code 602a60005260206000f3
  cairn-vm run --code 5f355f5500 --input 0x2a --gas 30000
  cairn-vm run --code @contract.hex --trace";

const DISASM_HELP: &str = "\
A block is what the machine charges and checks at once: it ends with a jump, a call, a creation or the end of the frame,
and before a JUMPDEST. `needs` is how many items must be on the stack, `grows` by how many the stack may become higher
than it was. A jump shows where it leads if a PUSH right before it says so.

Examples:
  cairn-vm disasm 6003565b00
  cairn-vm disasm @contract.hex | less";

/// Cairn's virtual machine on the command line: state tests, single runs, disassembly.
#[derive(Debug, Parser)]
#[command(name = "cairn-vm", version, after_help = EXAMPLES, max_term_width = 120)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run Ethereum's state tests and compare state roots and logs.
    #[command(after_help = STATETEST_HELP)]
    Statetest(StatetestArguments),
    /// Run code in an otherwise empty state.
    #[command(after_help = RUN_HELP)]
    Run(RunArguments),
    /// Show the instructions of code by basic block.
    #[command(after_help = DISASM_HELP)]
    Disasm(DisasmArguments),
}

/// Arguments of `cairn-vm statetest`.
#[derive(Debug, Args)]
pub struct StatetestArguments {
    /// Fixtures, or folders that are searched for *.json.
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Print a JSON object per case.
    #[arg(long, env = "CAIRN_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
    /// Run only the case of this name (or the only one whose name contains it), and print an EIP-3155 trace.
    #[arg(long, value_name = "NAME", conflicts_with = "by_instruction")]
    pub trace: Option<String>,
    /// Run the way tracers watch: one instruction at a time. The results must be the same.
    #[arg(long)]
    pub by_instruction: bool,
    /// Translate all code thoroughly, also what runs once. The results must be the same.
    #[arg(long, conflicts_with_all = ["by_instruction", "trace"])]
    pub thorough: bool,
    /// Threads that run cases [default: one per processor].
    #[arg(long, env = "CAIRN_THREADS", value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
}

/// Arguments of `cairn-vm run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The code: hexadecimal, or @FILE that holds it so.
    #[arg(long, value_name = "HEX|@FILE")]
    pub code: Hex,
    /// The calldata: hexadecimal, or @FILE.
    #[arg(long, value_name = "HEX|@FILE", default_value = "")]
    pub input: Hex,
    /// Gas that the code may use.
    #[arg(long, value_name = "N", default_value_t = TRANSACTION_GAS_CAP, value_parser = value_parser!(u64).range(..=MAX_GAS))]
    pub gas: u64,
    /// Print an EIP-3155 trace first: a JSON object per instruction.
    #[arg(long)]
    pub trace: bool,
    /// Print the result as one JSON object.
    #[arg(long, env = "CAIRN_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Arguments of `cairn-vm disasm`.
#[derive(Debug, Args)]
pub struct DisasmArguments {
    /// The code: hexadecimal, or @FILE that holds it so.
    #[arg(value_name = "HEX|@FILE")]
    pub code: Hex,
    /// Print a JSON object per block.
    #[arg(long, env = "CAIRN_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

impl RunArguments {
    /// Code and input, read from where they are.
    pub fn bytes(&self) -> Result<(Bytes, Bytes), crate::Failure> {
        Ok((self.code.read("--code")?, self.input.read("--input")?))
    }
}
