# shellcheck shell=bash
# All nodes together: connected, parted, agreed.

group_of() {
    local group
    group=$(kept "$1" group)
    say "${group:-0}"
}

together() { [[ $(group_of "$1") == "$(group_of "$2")" ]]; }

is_parted() { compgen -G "$DEVNET/node-*/group" >/dev/null; }

# Those of the running nodes that a node should be connected with.
fellows() {
    local other
    for other in $(running); do
        if [[ $other != "$1" ]] && together "$1" "$other"; then say "$other"; fi
    done
}

# Whether it is. It may count more: a node beyond a broken wire is a peer until its silence is
# noticed.
is_connected() {
    local peers other
    peers=$(rpc "$1" admin_peers 2>/dev/null) || return 1
    for other in $(fellows "$1"); do
        [[ $peers == *"\"id\":\"$(kept "$other" id)\""* ]] || return 1
    done
}

all_connected() {
    local node
    for node in $(running); do
        is_connected "$node" || return 1
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
    for node in $(running); do
        is_connected "$node" && continue
        for other in $(fellows "$node"); do
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

# Makes the wires what the groups say.
apply_groups() {
    local node
    if in_namespaces; then
        for node in $(nodes); do
            wires_group "$node" "$(group_of "$node")"
        done
    else
        for node in $(running); do
            rpc "$node" cairn_onlyPeers "[$(allowed "$node")]" >/dev/null
        done
    fi
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

# fork_height NODE NODE: the height of the last block that both have.
fork_height() {
    local height other one two
    height=$(height "$1")
    other=$(height "$2")
    if ((other < height)); then height=$other; fi
    while true; do
        one=$(hash_at "$1" "$height")
        two=$(hash_at "$2" "$height")
        if [[ $one == "$two" ]]; then break; fi
        height=$((height - 1))
    done
    say "$height"
}
