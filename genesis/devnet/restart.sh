#!/usr/bin/env bash
# Starts nodes: one that stopped or was killed, one that runs (it is stopped first), or a new one.
#
#   genesis/devnet/restart.sh 2    node 2 again, on its data
#   genesis/devnet/restart.sh 6    if there is no node 6 yet, it joins now and fetches the chain
#
# A new node does not mine. While the network is parted, it joins the side of node 1.

set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A node that has never answered, be it for the first time that it is named or after a start that
# failed, is new: it has no side yet, and others may have to be told its name.
join() {
    local node=$1
    mkdir -p "$(node_dir "$node")"
    ! is_parted || keep "$node" group "$(group_of 1)"
    restart_node "$node"
    apply_groups
}

no_options "$@"
(($# > 0)) || misuse "name the nodes to start"
for node in "$@"; do
    number restart.sh "$node" 1 "$MOST_NODES"
done
hold_devnet
wires_up
for node in "$@"; do
    if [[ -n $(kept "$node" id) ]]; then
        restart_node "$node"
    else
        join "$node"
    fi
done
connect_all || die "the nodes do not find each other; their logs: $DEVNET/node-*/log"
show_table
