#!/usr/bin/env bash
# Makes a reorganization and shows it: one node loses its last N blocks to a heavier history.
#
#   genesis/devnet/reorg.sh --depth 3
#
#   --depth N     blocks that are undone, 1 to 1000 (3); now and then one more comes in between
#   --loser K     the node whose blocks are undone (the last one that mines)
#
# The node is parted from all others, and all go on mining. When it has N blocks of its own, it
# stops; when the others have more work, the network is healed. Then it finds their chain, takes
# back its own blocks, and follows. Transactions of these blocks wait again in its mempool, unless
# the other history has spent the same coins.
#
# Where nobody else mines, another node takes over when it stops. In the end everybody mines who
# did before.

set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

parse() {
    DEPTH=3 LOSER=""
    while (($# > 0)); do
        case $1 in
            --help | -h) help ;;
            --depth)
                value "$1" $#
                number "$1" "$2" 1 1000
                DEPTH=$2
                shift
                ;;
            --loser)
                value "$1" $#
                LOSER=$2
                shift
                ;;
            *) misuse "unknown option '$1'" ;;
        esac
        shift
    done
}

miners() {
    local node
    for node in $(running); do
        if [[ -n $(kept "$node" mine) ]]; then say "$node"; fi
    done
}

# Sets LOSER, its SHARE of mining, and RIVAL, a node of the others that mines, or will.
choose() {
    [[ -z $LOSER ]] || known "$LOSER"
    check_runs
    LOSER=${LOSER:-$(miners | tail -n 1)}
    [[ -n $LOSER ]] || die "nobody mines; up.sh --miners 1 makes a devnet in which somebody does"
    is_running "$LOSER" || die "node $LOSER does not run; restart.sh $LOSER starts it"
    SHARE=$(kept "$LOSER" mine)
    [[ -n $SHARE ]] || die "node $LOSER does not mine; status.sh shows who does"
    RIVAL=$(miners | grep -vx "$LOSER" | head -n 1) || RIVAL=""
    RIVAL_HELPS=no
    if [[ -z $RIVAL ]]; then
        RIVAL=$(running | grep -vx "$LOSER" | head -n 1) || die "that takes two nodes that run"
        RIVAL_HELPS=yes
    fi
    check_both
}

# Where one of them is silent there is nothing to wait for.
check_both() {
    local node
    for node in "$LOSER" "$RIVAL"; do
        answers "$node" || die "node $node does not answer; its log: $(node_dir "$node")/log"
    done
}

# mines NODE SHARE: starts a node again with this share of mining, an empty one for none.
mines() {
    if [[ $(kept "$1" mine) == "$2" ]]; then return 0; fi
    if [[ -n $2 ]]; then keep "$1" mine "$2"; else forget "$1" mine; fi
    restart_node "$1"
}

# Everything is as it was before, whatever happened, and whoever is impatient. Each step is in a shell of its own, so that one
# that fails keeps none of the others from being done.
restore() {
    trap '' INT TERM
    trap - EXIT
    set +e
    if is_parted; then (set -e; unite); fi
    (set -e; mines "$LOSER" "$SHARE")
    if [[ $RIVAL_HELPS == yes ]]; then (set -e; mines "$RIVAL" ""); fi
    connect_all || note "the nodes do not find each other again; see status.sh"
    set -e
}

is_deep_enough() {
    local tip fork
    tip=$(height "$LOSER") && fork=$(fork_height "$LOSER" "$RIVAL") && ((tip - fork >= DEPTH))
}

is_outweighed() {
    local ours theirs
    ours=$(work "$LOSER") && theirs=$(work "$RIVAL") && ((theirs > ours))
}

# Mining goes by chance: an hour is more than any depth takes that one would wait for.
await_blocks() { wait_until 3600 holds "$1"; }

# Whether a predicate holds; a question that a busy node refuses is asked again.
holds() {
    check_both
    "$1" 2>/dev/null
}

# show FORK TIP: what node LOSER had above FORK, and what it has now.
show() {
    local height now
    printf '%8s  %-20s %s\n' HEIGHT BEFORE NOW
    for ((height = $1 + 1; height <= $2; height++)); do
        now=$(hash_at "$LOSER" "$height")
        printf '%8s  %-20s %s\n' "$height" "${BEFORE[$height]:0:18}" "${now:0:18}"
    done
}

parse "$@"
hold_devnet
! is_parted || die "the network is parted; heal.sh unites it"
choose
trap 'note "The wires and the miners become what they were before."; restore' EXIT

say "Node $LOSER is parted from the others."
part "$LOSER"
await_blocks is_deep_enough || die "no blocks come; see status.sh"
mines "$LOSER" ""
if [[ $RIVAL_HELPS == yes ]]; then mines "$RIVAL" "$SHARE"; fi
fork=$(fork_height "$LOSER" "$RIVAL")
tip=$(height "$LOSER")
BEFORE=()
for ((height = fork + 1; height <= tip; height++)); do
    BEFORE[height]=$(hash_at "$LOSER" "$height")
done
say "Node $LOSER has $((tip - fork)) blocks of its own above block $fork, and rests; the others mine until they have more work."
await_blocks is_outweighed || die "the other side does not get more work; see status.sh"

say "The network is healed."
unite
connect_all || die "the nodes do not find each other; their logs: $DEVNET/node-*/log"
mapfile -t all < <(running)
wait_until "$PATIENCE_S" agree "${all[@]}" || die "the nodes do not agree; see status.sh"
restore
show "$fork" "$tip"
say "Node $LOSER took back $((tip - fork)) blocks; all nodes have one history again."
