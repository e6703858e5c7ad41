#!/usr/bin/env bash
# Kills nodes in the middle of whatever they do (kill -9), as a crash would.
#
#   genesis/devnet/kill.sh 2
#   genesis/devnet/kill.sh 2 3
#
# Their data stays as the crash left it; restart.sh starts them on it. Killing a node that does
# not run changes nothing.

set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

no_options "$@"
(($# > 0)) || misuse "name the nodes to kill"
hold_devnet
for node in "$@"; do
    known "$node"
done
for node in "$@"; do
    if is_running "$node"; then
        end_node "$node" KILL
        say "Node $node is dead; restart.sh $node starts it again."
    else
        say "Node $node does not run."
    fi
done
