#!/usr/bin/env bash
# Ends a partition, and waits until all nodes have found each other and agree on one head.
#
#   genesis/devnet/heal.sh
#
# Two histories of exactly the same work cannot be decided: then the next block decides. If
# nobody mines, heal.sh says so after a while and ends with 1. On a network that is not parted it
# just waits for the same.

set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

no_options "$@"
(($# == 0)) || misuse "heal.sh takes no arguments"
hold_devnet
check_runs
unite
connect_all || die "the nodes do not find each other; their logs: $DEVNET/node-*/log"
mapfile -t all < <(running)
agreed=yes
wait_until "$PATIENCE_S" agree "${all[@]}" || agreed=no
show_table
[[ $agreed == yes ]] || die "the nodes do not agree; does anybody mine?"
say "The network is whole: one head everywhere."
