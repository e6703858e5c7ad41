# shellcheck shell=bash
# All nodes together: connected, parted, agreed.

group_of() {
    local group
    group=$(kept "$1" group)
    say "${group:-0}"
}

together() { [[ $(group_of "$1") == "$(group_of "$2")" ]]; }

is_parted() { compgen -G "$DEVNET/node-*/group" >/dev/null; }

# For what only makes sense on a network that is there.
check_runs() { [[ -n $(running) ]] || die "no node runs; up.sh starts them"; }

# Sets RUNNING, the nodes that run, and SIDE and NAME of each: read once, and then compared with
# those of every other one.
survey() {
    local node
    mapfile -t RUNNING < <(running)
    SIDE=() NAME=()
    for node in "${RUNNING[@]}"; do
        SIDE[node]=$(group_of "$node")
        NAME[node]=$(kept "$node" id)
    done
}

# Those of RUNNING that a node should be connected with and is not. It may be with more: a node
# beyond a broken wire is a peer until its silence is noticed. Fails where there is no answer.
missing_peers() {
    local peers other
    peers=$(rpc "$1" admin_peers 2>/dev/null) || return 1
    for other in "${RUNNING[@]}"; do
        [[ $other != "$1" && ${SIDE[other]} == "${SIDE[$1]}" ]] || continue
        [[ $peers == *"\"id\":\"${NAME[other]}\""* ]] || say "$other"
    done
}

all_connected() {
    local node missing
    survey
    for node in "${RUNNING[@]}"; do
        missing=$(missing_peers "$node") && [[ -z $missing ]] || return 1
    done
}

# Waits until every node has the peers it should have; asks for what is missing from time to time,
# as nodes wait longer and longer before they try a lost peer again.
connect_all() {
    local tries
    for ((tries = PATIENCE_S / 5; tries > 0; tries--)); do
        wait_until 5 all_connected && return 0
        introduce_all
    done
    return 1
}

introduce_all() {
    local node other
    survey
    for node in "${RUNNING[@]}"; do
        for other in $(missing_peers "$node"); do
            rpc "$node" admin_addPeer "[\"$(multiaddr "$other")\"]" >/dev/null 2>&1 || true
        done
    done
}

# part GROUP...: sides such as 1,2,3; nodes that are not named form one side more.
part() {
    local side group=0 node
    for node in $(nodes); do
        keep "$node" group $(($# + 1))
    done
    for side in "$@"; do
        group=$((group + 1))
        for node in ${side//,/ }; do
            keep "$node" group "$group"
        done
    done
    apply_groups
}

unite() {
    local node
    for node in $(nodes); do
        forget "$node" group
    done
    apply_groups
}

# Makes the wires what the groups say; a node that does not run finds its own when it starts. One
# that does not answer keeps none of the others from theirs.
apply_groups() {
    local node deaf=()
    for node in $(running); do
        if in_namespaces; then
            wires_group "$node" "$(group_of "$node")"
        else
            rpc "$node" cairn_onlyPeers "[$(allowed "$node")]" >/dev/null || deaf+=("$node")
        fi
    done
    ((${#deaf[@]} == 0)) || die "these nodes could not be told their side: ${deaf[*]}"
}

# Whom a node may talk to, as JSON: null is everybody.
allowed() {
    local other ids=""
    if ! is_parted; then
        say null
        return 0
    fi
    for other in $(nodes); do
        if [[ $other != "$1" && -n $(kept "$other" id) ]] && together "$1" "$other"; then
            ids+=",\"$(kept "$other" id)\""
        fi
    done
    say "[${ids#,}]"
}

# Whether all these nodes have the same head.
agree() {
    local node head first=""
    for node in "$@"; do
        head=$(rpc "$node" cairn_nodeInfo 2>/dev/null) || return 1
        head=$(field hash "$head")
        first=${first:-$head}
        [[ $head == "$first" ]] || return 1
    done
}

# fork_height NODE NODE: the height of the last block that both have; fails where one of them does
# not answer.
fork_height() {
    local height other one two
    height=$(height "$1") && other=$(height "$2") || return 1
    if ((other < height)); then height=$other; fi
    while true; do
        one=$(hash_at "$1" "$height") && two=$(hash_at "$2" "$height") || return 1
        if [[ -n $one && $one == "$two" ]]; then break; fi
        height=$((height - 1))
    done
    say "$height"
}
