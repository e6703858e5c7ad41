# shellcheck shell=bash
# Starting and ending one node.

# How long a node may take to answer or to end: far above what it takes, so that only what
# hangs is given up.
PATIENCE_S=120

# Peers of a node at most: everybody.
MAX_PEERS=$MOST_NODES

# Whether a node's process runs. Numbers of processes are used again, so what runs under this one
# must name the node's directory.
is_running() {
    local pid
    pid=$(kept "$1" pid)
    [[ -n $pid && -r /proc/$pid/cmdline ]] &&
        grep -qzxF "$DEVNET/node-$1/data" "/proc/$pid/cmdline" 2>/dev/null
}

is_down() { ! is_running "$1"; }

running() {
    local node
    for node in $(nodes); do
        if is_running "$node"; then say "$node"; fi
    done
}

# start_node NODE: starts it and waits until it answers.
start_node() {
    local node=$1 info
    mkdir -p "$(node_dir "$node")"
    wires_add "$node"
    wires_group "$node" "$(group_of "$node")"
    launch "$node"
    if has_lost_ports "$node"; then
        note "Another program uses a port of node $node; it gets new ones."
        forget "$node" rpc
        forget "$node" p2p
        launch "$node"
    fi
    check_serves "$node"
    info=$(rpc "$node" admin_nodeInfo)
    keep "$node" id "$(field id "$info")"
    in_namespaces || keep "$node" p2p "127.0.0.1 $(loopback_port "$info")"
}

# Starts its process and waits until it answers, or has ended.
launch() {
    local node=$1 dir inside=()
    dir=$(node_dir "$node")
    in_namespaces && inside=(ip netns exec "$(namespace "$node")")
    choose_addresses "$node"
    set_node_options "$node"
    touch "$dir/log"
    LOGGED=$(stat -c %s "$dir/log")
    # A session of its own: neither Ctrl-C nor the end of the terminal reaches it.
    "${PLAIN[@]}" setsid "${inside[@]}" "$CAIRN" run --datadir "$dir/data" "${NODE_OPTIONS[@]}" \
        >>"$dir/log" 2>&1 </dev/null 9<&- &
    keep "$node" pid "$!"
    # No word from bash when it is killed.
    disown
    wait_until "$PATIENCE_S" answers_or_ended "$node" || die "node $node does not answer; its log: $dir/log"
}

# In a namespace every node has the same ports. On loopback the system chooses free ones at the first
# start, and the node keeps them while it can.
choose_addresses() {
    if in_namespaces; then
        wires_address "$1"
    elif [[ -z $(kept "$1" rpc) ]]; then
        keep "$1" rpc 127.0.0.1:0
        keep "$1" p2p "127.0.0.1 0"
    fi
}

# Sets NODE_OPTIONS.
set_node_options() {
    local node=$1 other p2p
    p2p=$(kept "$node" p2p)
    NODE_OPTIONS=(--chain "$CHAIN" --rpc "$(kept "$node" rpc)" --p2p "${p2p/ /:}")
    NODE_OPTIONS+=(--no-mdns --max-peers "$MAX_PEERS")
    add_mining_options "$node"
    if [[ $NETEM == no ]]; then
        [[ $LATENCY_MS == 0 ]] || NODE_OPTIONS+=(--link-latency "$LATENCY_MS")
        [[ $LOSS_PERCENT == 0 ]] || NODE_OPTIONS+=(--link-loss "$LOSS_PERCENT")
    fi
    if is_parted && ! in_namespaces; then NODE_OPTIONS+=(--only-peers); fi
    for other in $(nodes); do
        if [[ $other != "$node" && -n $(kept "$other" id) ]] && together "$node" "$other"; then
            NODE_OPTIONS+=(--peer "$(multiaddr "$other")")
        fi
    done
}

multiaddr() {
    local ip port
    read -r ip port < <(kept "$1" p2p)
    printf '/ip4/%s/tcp/%s/p2p/%s' "$ip" "$port" "$(kept "$1" id)"
}

# For a process that was just launched. It is still this shell at first, and nothing between two
# programs, so that only its number counts. It has to say first where it serves: another program may
# answer at the port that it had before.
answers_or_ended() {
    local address
    kill -s 0 "$(kept "$1" pid)" 2>/dev/null || return 0
    address=$(tail -c "+$((LOGGED + 1))" "$DEVNET/node-$1/log" | sed -n 's|^  RPC  *http://\([0-9.:]*\) .*|\1|p')
    [[ -n $address ]] || return 1
    keep "$1" rpc "$address"
    answers "$1"
}

answers() { rpc "$1" web3_clientVersion >/dev/null 2>&1; }

# Whether a node ended because it was to have ports that are taken, as those on loopback may be
# while it does not run.
has_lost_ports() {
    ! in_namespaces && ! is_running "$1" &&
        [[ $(kept "$1" rpc) != *:0 && $(tail -n 1 "$DEVNET/node-$1/log") == *"already in use"* ]]
}

check_serves() {
    local log
    log=$(node_dir "$1")/log
    is_running "$1" && return 0
    tail -n 3 "$log" >&2
    die "node $1 ended instead of serving; its log: $log"
}

# loopback_port INFO: the port that the system chose for peers.
loopback_port() {
    local rest=${1#*/ip4/127.0.0.1/tcp/}
    say "${rest%%[!0-9]*}"
}

# end_node NODE SIGNAL: ends it and waits until it is gone.
end_node() {
    is_running "$1" || return 0
    kill -s "$2" "$(kept "$1" pid)" 2>/dev/null || true
    wait_until "$PATIENCE_S" is_down "$1" || die "node $1 does not end; its log: $(node_dir "$1")/log"
    forget "$1" pid
}

# A node gets its name when it first answers. One that runs without, nobody waits for any more:
# the script that started it was interrupted.
end_half_started() {
    local node
    for node in $(running); do
        [[ -z $(kept "$node" id) ]] || continue
        end_node "$node" KILL
        note "The start of node $node was interrupted, so it is stopped; restart.sh $node starts it."
    done
}

restart_node() {
    end_node "$1" TERM
    start_node "$1"
}
