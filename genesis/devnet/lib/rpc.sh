# shellcheck shell=bash
# Questions to a node over JSON-RPC. What is needed of the answers is flat enough for bash.

# Longer than any answer takes on a busy machine: only what hangs takes longer.
RPC_TIMEOUT_S=20

url() { printf 'http://%s' "$(kept "$1" rpc)"; }

# post NODE: sends the body that comes on stdin, prints the answer.
post() {
    curl -sS --noproxy '*' --max-time "$RPC_TIMEOUT_S" -H 'Content-Type: application/json' \
        --data-binary @- "$(url "$1")" 2>/dev/null
}

# request METHOD [PARAMS]: the body of a question.
request() { printf '{"jsonrpc":"2.0","id":1,"method":"%s","params":%s}' "$1" "${2:-[]}"; }

# rpc NODE METHOD [PARAMS]: prints the result; fails with the node's own words.
rpc() {
    local node=$1 method=$2 answer
    answer=$(request "$method" "${3:-[]}" | post "$node") || {
        note "node $node does not answer"
        return 1
    }
    if [[ $answer == *'"error":{'* ]]; then
        note "node $node, $method: $(field message "$answer")"
        return 1
    fi
    answer=${answer#*'"result":'}
    printf '%s\n' "${answer%\}}"
}

# field NAME JSON: the first text of this name; nothing if there is none.
field() {
    local rest=${2#*"\"$1\":\""}
    if [[ $rest != "$2" ]]; then printf '%s\n' "${rest%%\"*}"; fi
}

# decimal QUANTITY: a hexadecimal quantity, perhaps in quotation marks, as a decimal number.
decimal() {
    local hex=${1//\"/}
    [[ $hex =~ ^0x[0-9a-f]{1,15}$ ]] || return 1
    printf '%d\n' "$hex"
}

# These fail where there is no answer.

height() { decimal "$(rpc "$1" eth_blockNumber)"; }

# hash_at NODE HEIGHT: nothing if there is no such block.
hash_at() {
    local block
    block=$(rpc "$1" eth_getBlockByNumber "[\"$(printf '0x%x' "$2")\",false]") || return 1
    field hash "$block"
}

# Work of the best chain in hashes: that of a devnet stays far below what bash can count.
work() { decimal "$(field totalWork "$(rpc "$1" cairn_nodeInfo)")"; }
