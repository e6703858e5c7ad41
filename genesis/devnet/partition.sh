#!/usr/bin/env bash
# Parts the network: nodes of different sides no longer hear of each other.
#
#   genesis/devnet/partition.sh 1,2,3 4,5    two sides
#   genesis/devnet/partition.sh 4            node 4 alone, all others together
#   genesis/devnet/partition.sh 1 2 3        three sides, and all others are a fourth
#
# Nodes that are not named form one side more. If the network is parted already, the new sides
# take the place of the old ones. heal.sh unites them.
#
# Each side goes on by itself. Those who mine on both sides make two histories; the one with more
# work counts in the end, and what only the other one had is undone.

set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

check_sides() {
    local side node named=" " count=0
    (($# > 0)) || misuse "name the nodes of at least one side, as in 1,2,3"
    for side in "$@"; do
        [[ $side =~ ^[0-9]+(,[0-9]+)*$ ]] || misuse "'$side' is no list of nodes such as 1,2,3"
        for node in ${side//,/ }; do
            known "$node"
            [[ $named != *" $node "* ]] || misuse "node $node is named twice"
            named+="$node "
            count=$((count + 1))
        done
    done
    (($# > 1 || count < $(nodes | wc -l))) || misuse "with all nodes on one side nothing is parted"
}

no_options "$@"
hold_devnet
check_sides "$@"
check_runs
part "$@"
in_namespaces || note "Without network namespaces: each node itself refuses those of the other sides."
say "The network is parted. Watch it with status.sh; heal.sh unites it."
show_table
