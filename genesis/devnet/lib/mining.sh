# shellcheck shell=bash
# Who mines, and how much of the machine that may take.

# share_among MINERS: sets SHARE, percent of one thread for each of so many miners.
share_among() {
    SHARE=$(($(nproc) * MINING_SHARE / $1))
    ((SHARE > 0)) || misuse "$MINING_SHARE % of this machine is too little for $1 miners; see --mining-share"
}

# Adds the options with which a node mines, if it does, to NODE_OPTIONS.
add_mining_options() {
    local share threads
    share=$(kept "$1" mine)
    [[ -n $share ]] || return 0
    make_reward_address "$1"
    threads=$(((share + 99) / 100))
    NODE_OPTIONS+=("--mine=$(mode)" --mine-to "$(kept "$1" reward)")
    NODE_OPTIONS+=(--threads "$threads" --mine-share $((share / threads)))
}

# A chain of fixed trivial difficulty would have hundreds of blocks a second; it gets one every two.
mode() {
    case $("$CAIRN" spec show "$CHAIN") in
        *'"fixed"'*) say interval:2 ;;
        *) say continuous ;;
    esac
}

# An account for a miner, made when it first mines.
make_reward_address() {
    local made
    [[ -z $(kept "$1" reward) ]] || return 0
    made=$(wallet --json new --yes --name "miner-$1" | tr -d ' ')
    keep "$1" reward "$(field address "$made")"
}

# The wallet, with the devnet's own keys.
wallet() {
    "${PLAIN[@]}" "$WALLET" --keystore "$DEVNET/keystore" --password-file "$DEVNET/password" "$@"
}

# What opens the keys; lies beside them, so that nobody need be asked for it.
make_password() {
    [[ -f $DEVNET/password ]] || (umask 077 && od -An -N16 -tx8 /dev/urandom | tr -d ' ' >"$DEVNET/password")
}
