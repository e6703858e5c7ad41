#!/usr/bin/env bash
# Makes a private network on this machine: real nodes, each a process with its own data,
# connected with each other, some of them mining.
#
#   genesis/devnet/up.sh                         3 nodes, node 1 mines
#   genesis/devnet/up.sh --nodes 5 --miners 2    nodes 1 and 2 mine
#   genesis/devnet/up.sh --latency 80 --loss 1   as over the Internet
#
#   --nodes N          how many nodes (3)
#   --miners M         how many of them mine, from node 1 on (1)
#   --latency MS       how long a message takes from node to node (0)
#   --loss PERCENT     how many of them are lost (0)
#   --chain FILE       a chain spec, or the name of a built-in chain (devnet)
#   --mining-share P   percent of this machine that all miners together may take (25)
#   --bin-dir DIR      where cairn and cairn-wallet are; without it they are looked for where
#                      `make build` puts them, and built if they are not there. Given for a
#                      devnet that is there, it counts from the next start of a node on
#   --loopback         no network namespaces, as if you were not root
#
# As root, every node has a network namespace with an address of its own; latency, loss and
# partitions are then those of a real network. Otherwise the nodes share loopback and keep them
# themselves.
#
# All that belongs to a devnet is in one directory: $CAIRN_DEVNET_DIR, or
# ~/.local/state/cairn-devnet. Set the variable to have several devnets at once.
#
# Where the devnet runs already, up.sh says so and shows it. After `down.sh --keep` or a restart
# of the machine it starts the same nodes again, with their data; no options are needed then.
# Next: status.sh, load.sh, partition.sh, heal.sh, kill.sh, restart.sh, reorg.sh, down.sh.

set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What mining may take of the machine unless the user says more, all miners together, in percent.
QUIET_PERCENT=25

parse() {
    NODES=3 MINERS=1 LATENCY_MS=0 LOSS_PERCENT=0 CHAIN=devnet MINING_SHARE=$QUIET_PERCENT BIN_DIR="" LOOPBACK=""
    GIVEN=no
    WIRES=loopback NETEM=no
    while (($# > 0)); do
        [[ $1 == --bin-dir ]] || GIVEN=yes
        case $1 in
            --help | -h) help ;;
            --loopback) LOOPBACK=loopback ;;
            --nodes | --miners | --latency | --loss | --chain | --mining-share | --bin-dir)
                value "$1" $#
                take "$1" "$2"
                shift
                ;;
            *) misuse "unknown option '$1'" ;;
        esac
        shift
    done
    ((MINERS <= NODES)) || misuse "there cannot be $MINERS miners among $NODES nodes"
    # What makes the network; where the programs are does not, and may change.
    OPTIONS="--nodes $NODES --miners $MINERS --latency $LATENCY_MS --loss $LOSS_PERCENT --chain $CHAIN"
    OPTIONS+=" --mining-share $MINING_SHARE${LOOPBACK:+ --loopback}"
}

# take OPTION VALUE
take() {
    case $1 in
        --nodes) number "$1" "$2" 1 "$MOST_NODES" && NODES=$2 ;;
        --miners) number "$1" "$2" 0 "$MOST_NODES" && MINERS=$2 ;;
        --latency) number "$1" "$2" 0 10000 && LATENCY_MS=$2 ;;
        --loss) number "$1" "$2" 0 50 && LOSS_PERCENT=$2 ;;
        --mining-share) number "$1" "$2" 1 100 && MINING_SHARE=$2 ;;
        --bin-dir) BIN_DIR=$2 ;;
        --chain)
            CHAIN=$2
            if [[ -f $2 ]]; then CHAIN=$(cd "$(dirname "$2")" && pwd)/${2##*/}; fi
            ;;
    esac
}

# A new devnet: everything but the nodes' processes.
make_devnet() {
    local node
    find_programs "$BIN_DIR"
    # It says itself what is wrong with a chain.
    "$CAIRN" spec show "$CHAIN" >/dev/null || exit 1
    ((MINERS == 0)) || share_among "$MINERS"
    choose_wires "$LOOPBACK"
    # At first without what the wires turn out to be, so that down.sh finds what a kill -9 leaves.
    save_settings
    wires_up
    save_settings
    make_password
    for ((node = 1; node <= NODES; node++)); do
        mkdir -p "$(node_dir "$node")"
        ((node > MINERS)) || keep "$node" mine "$SHARE"
    done
}

# The devnet that is there: does it fit, does it run?
reopen_devnet() {
    local wanted=$OPTIONS
    load_settings
    [[ $GIVEN == no || $OPTIONS == "$wanted" ]] ||
        die "the devnet in $DEVNET was made by: up.sh $OPTIONS. Take it down first, or set CAIRN_DEVNET_DIR for another one."
    if [[ -n $BIN_DIR ]]; then
        find_programs "$BIN_DIR"
        save_settings
    fi
    if [[ -n $(running) ]]; then
        say "The devnet in $DEVNET runs already."
        show_table
        exit 0
    fi
    # Sides of a partition do not outlive the nodes.
    rm -f "$DEVNET"/node-*/group
    wires_up
    save_settings
}

start_all() {
    local node
    for node in $(nodes); do
        start_node "$node"
    done
    connect_all || die "the nodes do not find each other; their logs: $DEVNET/node-*/log"
}

# What was begun is undone unless it was finished; of a failure, not of Ctrl-C, the logs stay.
undo() {
    local code=$? node
    # A second Ctrl-C would leave nodes behind that nobody knows of.
    trap '' INT TERM
    [[ $FINISHED == no ]] || return 0
    for node in $(running); do
        end_node "$node" KILL
    done
    wires_down
    [[ $MADE == yes ]] || return 0
    if ((code < 128)) && compgen -G "$DEVNET/node-*/log" >/dev/null; then
        save_logs
    else
        [[ -z $(nodes) ]] || note "Nothing is left of what was begun."
    fi
    rm -rf "$DEVNET"
}

save_logs() {
    local logs node
    logs=$(mktemp -d --tmpdir cairn-devnet-XXXXXX)
    for node in $(nodes); do
        mv "$(node_dir "$node")/log" "$logs/node-$node" 2>/dev/null || true
    done
    note "Nothing is left of what was begun but the logs: $logs/node-*"
}

parse "$@"
mkdir -p "$DEVNET"
lock
FINISHED=no MADE=no
if exists; then
    reopen_devnet
else
    [[ -z $(ls -A "$DEVNET") ]] || die "$DEVNET holds something else; set CAIRN_DEVNET_DIR to a directory of its own"
    MADE=yes
    trap undo EXIT
    make_devnet
fi
trap undo EXIT
start_all
FINISHED=yes

say "A devnet of $(nodes | wc -l) nodes runs; its directory is $DEVNET"
show_table
say "Watch it: $HERE/status.sh --watch    End it: $HERE/down.sh"
