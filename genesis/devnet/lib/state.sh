# shellcheck shell=bash
# The one directory in which everything lies:
#
#   settings   how the devnet was made, as assignments
#   keystore/  keys of those who get the rewards; password opens them
#   node-N/    data/  what the node keeps
#              log    what it said
#              pid    its process
#              rpc    where it answers, HOST:PORT
#              p2p    where its peers reach it, IP PORT
#              id     its name among peers
#              mine   present: percent of one thread with which it mines
#              reward present: the account that gets what it mines
#              group  present: its side of a partition, from 1 on

DEVNET=${CAIRN_DEVNET_DIR:-${XDG_STATE_HOME:-${HOME:?}/.local/state}/cairn-devnet}
# One spelling of it, however the user spells it: by this name nodes are told from other processes.
DEVNET=$(realpath -m -- "$DEVNET")

# Two limits in one: the addresses of a namespace's network, and what one machine can bear.
MOST_NODES=200

SETTINGS=(OPTIONS CAIRN WALLET CHAIN MINING_SHARE LATENCY_MS LOSS_PERCENT WIRES NETEM)

exists() { [[ -f $DEVNET/settings ]]; }

save_settings() {
    local name
    for name in "${SETTINGS[@]}"; do
        printf '%s=%q\n' "$name" "${!name-}"
    done >"$DEVNET/settings.new"
    mv "$DEVNET/settings.new" "$DEVNET/settings"
}

load_settings() {
    # shellcheck disable=SC1091 # written by save_settings
    source "$DEVNET/settings"
    find_subnet
}

# For scripts that look at a devnet which is there.
open_devnet() {
    exists || die "there is no devnet in $DEVNET; make one with $HERE/up.sh"
    load_settings
}

# For scripts that change it: what they read and check stays so until they end.
hold_devnet() {
    if exists; then lock; fi
    open_devnet
    end_half_started
}

# One script at a time changes a devnet. The lock ends with the script; nodes must not inherit
# descriptor 9, or it would end only with them.
lock() {
    exec 9<"$DEVNET"
    if ! flock -n 9; then
        note "waiting for another script that works on $DEVNET"
        flock 9
    fi
    [[ $DEVNET -ef /dev/fd/9 ]] || die "the devnet has been taken down meanwhile"
}

node_dir() { printf '%s' "$DEVNET/node-$1"; }

# kept NODE FILE: the content of one of its files, or nothing.
kept() {
    local content=""
    # Without a program, as this is asked all the time.
    { read -r content <"$DEVNET/node-$1/$2"; } 2>/dev/null || true
    if [[ -n $content ]]; then say "$content"; fi
}

keep() { printf '%s\n' "$3" >"$(node_dir "$1")/$2"; }

forget() { rm -f "$(node_dir "$1")/$2"; }

# The numbers of all nodes, upward.
nodes() {
    local dir
    for dir in "$DEVNET"/node-*/; do
        if [[ -d $dir ]]; then
            dir=${dir%/}
            printf '%s\n' "${dir##*-}"
        fi
    done | sort -n
}

# known NODE: checks a number that the user gave.
known() {
    is_number "$1" || misuse "'$1' is no number of a node"
    [[ -d $(node_dir "$1") ]] || misuse "there is no node $1; there are: $(nodes | paste -sd' ' -)"
}
