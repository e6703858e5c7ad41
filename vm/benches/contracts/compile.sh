#!/usr/bin/env bash
# Compiles the Solidity sources of this folder into NAME.hex, the creation code of each contract that has a @title.
# Needs npm; the compiler goes into a temporary folder. `compile.sh FOLDER` writes elsewhere.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "${1:-$here}" && pwd)
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
npm install --silent --no-audit --no-fund --prefix "$tools" solc@0.8.37

NODE_PATH="$tools/node_modules" node - "$here" "$out" <<'JS'
const fs = require("fs");
const path = require("path");
const solc = require("solc");

const [here, out] = process.argv.slice(2);
const files = fs.readdirSync(here).filter((file) => file.endsWith(".sol")).sort();

for (const file of files) {
  for (const [contract, { devdoc, evm }] of Object.entries(compile(file))) {
    if (!devdoc.title) continue;
    fs.writeFileSync(path.join(out, `${devdoc.title}.hex`), evm.bytecode.object);
    console.log(`${devdoc.title.padEnd(24)} ${file}:${contract}, ${evm.bytecode.object.length / 2} bytes`);
  }
}

function compile(file) {
  const input = {
    language: "Solidity",
    sources: { [file]: { content: read(file) } },
    settings: {
      evmVersion: "osaka",
      optimizer: { enabled: true, runs: 200 },
      metadata: { bytecodeHash: "none" },
      outputSelection: { [file]: { "*": ["devdoc", "evm.bytecode.object"] } },
    },
  };
  const imports = (name) => ({ contents: read(name) });
  const { contracts, errors } = JSON.parse(solc.compile(JSON.stringify(input), { import: imports }));
  for (const error of errors?.filter(isNews) ?? []) console.error(error.formattedMessage);
  if (!contracts || errors?.some((error) => error.severity === "error")) process.exit(1);
  return contracts[file];
}

// Transient storage always earns a warning.
function isNews(error) {
  return error.errorCode !== "2394";
}

function read(name) {
  return fs.readFileSync(path.join(here, name), "utf8");
}
JS
