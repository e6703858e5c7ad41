# shellcheck shell=bash
# What is shown of the nodes.

ROW='%-5s %-11s %8s  %-12s %6s %8s  %-7s %s\n'

# look NODE: sets HEIGHT, HASH, WORK, PEERS, MEMPOOL, MINING and STATE.
look() {
    local answer
    HEIGHT="" HASH="" WORK="" PEERS="" MEMPOOL="" MINING="" STATE=stopped
    [[ -z $(kept "$1" mine) ]] || MINING=$(kept "$1" mine)
    is_running "$1" || return 0
    STATE=silent
    answer=$(printf '[%s,%s]' "$(request cairn_nodeInfo)" "$(request net_peerCount)" | post "$1") || return 0
    STATE=busy
    PEERS=$(quantity result "$answer")
    HASH=$(field hash "$answer")
    [[ -n $HASH ]] || return 0
    STATE=running
    if (($(group_of "$1") > 0)); then STATE=partitioned; fi
    HEIGHT=$(quantity number "$answer")
    WORK=$(quantity totalWork "$answer")
    MEMPOOL=$(quantity poolSize "$answer")
}

# quantity NAME JSON: a field as a decimal number; nothing if it is not there, or beyond what bash
# can count.
quantity() { decimal "$(field "$1" "$2")" || true; }

show_table() {
    local node state
    # shellcheck disable=SC2059 # one format for the whole table
    printf "$ROW" NODE STATE HEIGHT HASH PEERS MEMPOOL MINES RPC
    for node in $(nodes); do
        look "$node"
        state=$STATE
        [[ $STATE != partitioned ]] || state="in part $(group_of "$node")"
        # shellcheck disable=SC2059
        printf "$ROW" "$node" "$state" "${HEIGHT:--}" "${HASH:0:12}" "${PEERS:--}" "${MEMPOOL:--}" \
            "${MINING:+$MINING %}" "$(url "$node")"
    done
}

show_json() {
    local node comma=""
    printf '{"directory":"%s","wires":"%s","nodes":[' "$DEVNET" "$WIRES"
    for node in $(nodes); do
        printf '%s' "$comma"
        show_node_json "$node"
        comma=,
    done
    printf ']}\n'
}

show_node_json() {
    local group mines=false hash=null
    look "$1"
    group=$(kept "$1" group)
    if [[ -n $MINING ]]; then mines=true; fi
    if [[ -n $HASH ]]; then hash="\"$HASH\""; fi
    printf '{"node":%d,"state":"%s","group":%s,"rpc":"%s"' "$1" "$STATE" "${group:-null}" "$(url "$1")"
    printf ',"height":%s,"hash":%s,"work":%s' "${HEIGHT:-null}" "$hash" "${WORK:-null}"
    printf ',"peers":%s,"mempool":%s,"mines":%s}' "${PEERS:-null}" "${MEMPOOL:-null}" "$mines"
}
