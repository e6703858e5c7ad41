#!/usr/bin/env bash
# Sends payments: real ones, each signed, spread over all nodes and over the ten test accounts
# that the chain funds.
#
#   genesis/devnet/load.sh --tps 50                 50 a second for ten seconds
#   genesis/devnet/load.sh --tps 200 --seconds 60
#
#   --tps N        payments a second, 1 to 5000
#   --seconds S    for how long (10)
#
# Ctrl-C ends it, and shows what was sent until then.
#
# The nodes sign, as they hold the keys of the test accounts (eth_sendTransaction). Each account
# sends by one node only, so that nonces come in order. A node lets 64 payments of one sender
# wait, so 640 wait at most: with blocks every two seconds about 200 a second go through; what
# is beyond is refused, and counted here.

set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A batch of JSON-RPC at most.
MOST_AT_ONCE=1000

milliseconds() { say $((${EPOCHREALTIME//[!0-9]/} / 1000)); }

# payments ACCOUNT COUNT: questions that each send one wei to the next account, after a comma.
payments() {
    local from=${ACCOUNTS[$1]} to=${ACCOUNTS[$((($1 + 1) % ${#ACCOUNTS[@]}))]} question count
    question=$(request eth_sendTransaction "[{\"from\":\"$from\",\"to\":\"$to\",\"value\":\"0x1\",\"gas\":\"0x5208\"}]")
    for ((count = $2; count > 0; count--)); do
        printf ',%s' "$question"
    done
}

# send NODE FILE: posts the questions in FILE and puts the answers in their place.
send() {
    local batch
    batch=$(<"$2")
    [[ -n $batch ]] || return 0
    printf '[%s]' "${batch#,}" | post "$1" >"$2.answer" || say '{"error":{"message":"no answer"}}' >"$2.answer"
    mv "$2.answer" "$2"
}

# send_all COUNT: shares COUNT payments among the accounts, and these among the nodes.
send_all() {
    local account node share
    rm -f "$WORK_DIR"/*
    for account in "${!ACCOUNTS[@]}"; do
        share=$((($1 + (account + TURN) % ${#ACCOUNTS[@]}) / ${#ACCOUNTS[@]}))
        node=${NODES[$((account % ${#NODES[@]}))]}
        payments "$account" "$share" >>"$WORK_DIR/$node"
    done
    TURN=$((TURN + 1))
    for node in "${NODES[@]}"; do
        [[ ! -f $WORK_DIR/$node ]] || send "$node" "$WORK_DIR/$node" &
    done
    # An interruption ends the waiting, not those who are waited for.
    until wait; do :; done
    count_answers
    SENT=$((SENT + $1))
}

# What is not taken is refused: an error may be the answer to a whole batch.
count_answers() {
    local answers
    answers=$(cat "$WORK_DIR"/*)
    TAKEN=$((TAKEN + $(occurrences '"result":"' "$answers")))
    WHY=${WHY:-$(field message "$answers")}
}

# occurrences WORD TEXT
occurrences() {
    local without=${2//"$1"/}
    say $(((${#2} - ${#without}) / ${#1}))
}

TPS="" FOR_S=10
while (($# > 0)); do
    case $1 in
        --help | -h) help ;;
        --tps)
            value "$1" $#
            number "$1" "$2" 1 5000
            TPS=$2
            shift
            ;;
        --seconds)
            value "$1" $#
            number "$1" "$2" 1 86400
            FOR_S=$2
            shift
            ;;
        *) misuse "unknown option '$1'" ;;
    esac
    shift
done
[[ -n $TPS ]] || misuse "say how many payments a second: --tps N"

open_devnet
check_runs
mapfile -t NODES < <(running)
accounts=$(rpc "${NODES[0]}" eth_accounts 2>/dev/null) || die "node ${NODES[0]} does not tell its accounts; see status.sh"
mapfile -t ACCOUNTS < <(grep -oE '0x[0-9a-f]{40}' <<<"$accounts")
((${#ACCOUNTS[@]} > 0)) || die "the chain $CHAIN funds no test accounts, so the nodes cannot sign"

WORK_DIR=$(mktemp -d)
trap 'rm -rf "$WORK_DIR"' EXIT
SENT=0 TAKEN=0 TURN=0 WHY="" STOPPED=""
trap 'STOPPED=yes' INT TERM
begin=$(milliseconds)
while [[ -z $STOPPED ]] && ((SENT < TPS * FOR_S)); do
    passed=$(($(milliseconds) - begin))
    ((passed < FOR_S * 1000)) || passed=$((FOR_S * 1000))
    due=$((TPS * passed / 1000 - SENT))
    ((due <= MOST_AT_ONCE)) || due=$MOST_AT_ONCE
    if ((due > 0)); then
        send_all "$due"
    fi
    sleep 0.1 || true
done
took=$(($(milliseconds) - begin))

say "Sent $SENT payments in $((took / 1000)).$((took % 1000 / 100)) s: $TAKEN taken, $((SENT - TAKEN)) refused${WHY:+ (first reason: $WHY)}."
[[ -z $STOPPED ]] || exit 130
((TAKEN > 0)) || die "no payment was taken"
