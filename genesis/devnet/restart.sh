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

# Others may have to be told of a node whose name they have not heard yet.
join() {
    local node=$1
    mkdir -p "$(node_dir "$node")"
    ! is_parted || keep "$node" group "$(group_of 1)"
    start_node "$node"
    apply_groups
}

no_options "$@"
(($# > 0)) || misuse "name the nodes to start"
open_devnet
for node in "$@"; do
    is_number "$node" || misuse "'$node' is no number of a node"
    number "a node's number" "$node" 1 "$MOST_NODES"
done
lock
wires_up
for node in "$@"; do
    if [[ -d $(node_dir "$node") ]]; then
        restart_node "$node"
    else
        join "$node"
    fi
done
connect_all || die "the nodes do not find each other; their logs: $DEVNET/node-*/log"
show_table
