#!/usr/bin/env bash
# Ends a devnet: all its nodes, its network namespaces, and its directory with all data.
#
#   genesis/devnet/down.sh           nothing is left
#   genesis/devnet/down.sh --keep    keeps the directory: up.sh goes on where the nodes stopped
#
# Where no devnet is, it has nothing to do and says so.

set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

KEEP=no
while (($# > 0)); do
    case $1 in
        --help | -h) help ;;
        --keep) KEEP=yes ;;
        *) misuse "unknown option '$1'" ;;
    esac
    shift
done

if ! exists; then
    say "There is no devnet in $DEVNET."
    exit 0
fi
hold_devnet

for node in $(running); do
    kill -s TERM "$(kept "$node" pid)" 2>/dev/null || true
done
for node in $(nodes); do
    wait_until "$PATIENCE_S" is_down "$node" || end_node "$node" KILL
    forget "$node" pid
done
wires_down
if [[ $KEEP == yes ]]; then
    say "The devnet is down; up.sh starts it again from $DEVNET"
else
    rm -rf "$DEVNET"
    say "The devnet is down; nothing is left of it."
fi
