# shellcheck shell=bash
# What joins the nodes.
#
# As root every node has a network namespace of its own, and one more is the switch:
#
#     host ── cairnK ──┬─ rpc bridge ──┬─ node 1 (10.232.K.1)      asked by the host
#                      │   (switch)    └─ node 2 (10.232.K.2)      ports see the host only
#                      │
#                      └─ p2p bridge ──┬─ node 1 (10.231.K.1)      netem: latency, loss
#                          (switch)    └─ node 2 (10.231.K.2)
#
# A partition moves ports to a bridge of their own: the nodes' sides of the cable stay up, and
# only silence tells them that somebody is gone. Bridges are in the switch so that the host's
# packet filter, which may drop what it does not know, does not see them.
#
# Otherwise nodes listen on loopback; they delay and lose messages themselves
# (--link-latency, --link-loss), and are told whom they may talk to (cairn_onlyPeers).
#
# K is a number that no other devnet on this machine uses. Whose it is says a link to the devnet's
# directory, and nothing else does. It ends with the machine, as namespaces do; so nobody takes the
# namespaces of a later devnet for its own.

MOST_DEVNETS=250
P2P_PORT=30303
RPC_PORT=8545

switch() { printf 'cairn%d' "$SUBNET"; }

namespace() { printf 'cairn%d-%d' "$SUBNET" "$1"; }

in_namespaces() { [[ $WIRES == namespaces ]]; }

NAMESPACES=/run/netns

has_namespace() { [[ -e $NAMESPACES/$1 ]]; }

# owner NUMBER: the link that says whose it is.
owner() { printf '/run/cairn-devnet-%d' "$1"; }

# Sets SUBNET, K of this devnet; to nothing if it has none.
find_subnet() {
    local link
    SUBNET=""
    for link in /run/cairn-devnet-*; do
        if [[ $link -ef $DEVNET ]]; then SUBNET=${link##*-}; fi
    done
}

# Why there can be no namespaces here; nothing if there can. Runs in a subshell, whose end, also
# by Ctrl-C, removes what was made to try it.
no_namespaces() (
    probe=cairn-probe-$$
    # Ctrl-C also reaches the program that removes it.
    trap 'trap "" INT TERM; ip netns delete "$probe" 2>/dev/null || true' EXIT
    # Those of the script do not count in a subshell.
    trap 'exit 130' INT
    trap 'exit 143' TERM
    if [[ $(id -u) != 0 ]]; then
        say "that needs root"
    elif ! command -v ip >/dev/null || ! command -v tc >/dev/null; then
        say "that needs ip and tc (Debian: apt-get install iproute2)"
    elif ! ip netns add "$probe" 2>/dev/null; then
        say "this root may not create them"
    else
        if ! ip -n "$probe" link add one type bridge 2>/dev/null ||
            ! ip -n "$probe" link add two type veth peer name three 2>/dev/null; then
            say "this kernel lacks bridges or veth pairs"
        fi
    fi
)

# choose_wires WISH: sets WIRES; WISH is loopback, or empty for the best there is.
choose_wires() {
    local why
    WIRES=loopback
    [[ -z $1 ]] || return 0
    why=$(no_namespaces)
    if [[ -z $why ]]; then
        WIRES=namespaces
    else
        note "No network namespaces: $why. Nodes share loopback, and keep partitions, latency and loss themselves."
    fi
}

# Makes the switch, unless a node runs, and so has it. Otherwise what is there is removed first:
# a start that was interrupted may have left it half made.
wires_up() {
    local node
    in_namespaces || return 0
    [[ -z $(running) ]] || return 0
    wires_down
    choose_subnet
    make_switch
    choose_netem
    for node in $(nodes); do
        wires_address "$node"
    done
}

# The first number that is free; to make the link is to take it.
choose_subnet() {
    local number
    for ((number = 1; number <= MOST_DEVNETS; number++)); do
        [[ -z $(ip -4 route show root "10.232.$number.0/24") ]] || continue
        ! has_namespace "cairn$number" || continue
        if ln -sT "$DEVNET" "$(owner "$number")" 2>/dev/null; then
            SUBNET=$number
            return 0
        fi
    done
    die "no free network is left for a devnet"
}

make_switch() {
    local switch
    switch=$(switch)
    ip netns add "$switch"
    ip link add "$switch" type veth peer name host netns "$switch"
    ip address add "10.232.$SUBNET.254/24" dev "$switch"
    ip link set "$switch" up
    make_bridge rpc
    make_bridge p2p
    ip -n "$switch" link set host master rpc up
}

# Makes a bridge, unless it is there.
make_bridge() {
    ip -n "$(switch)" link add "$1" type bridge 2>/dev/null || return 0
    ip -n "$(switch)" link set "$1" up
}

# Whether this kernel can delay and lose packets. If not, the nodes do it.
choose_netem() {
    NETEM=no
    [[ $LATENCY_MS != 0 || $LOSS_PERCENT != 0 ]] || return 0
    if tc -n "$(switch)" qdisc add dev p2p root netem delay 1ms 2>/dev/null; then
        tc -n "$(switch)" qdisc delete dev p2p root
        NETEM=yes
    else
        note "No netem in this kernel: nodes delay and lose messages themselves."
    fi
}

# Keeps where a node is reached, by the host and by its peers.
wires_address() {
    keep "$1" rpc "10.232.$SUBNET.$1:$RPC_PORT"
    keep "$1" p2p "10.231.$SUBNET.$1 $P2P_PORT"
}

# Makes a node's namespace, unless it is there. Its loopback comes up last: where it is up, nothing
# is missing.
wires_add() {
    local node=$1 space
    in_namespaces || return 0
    space=$(namespace "$node")
    [[ -z $(ip -n "$space" link show lo up 2>/dev/null) ]] || return 0
    wires_remove "$node"
    ip netns add "$space"
    plug "$node" rpc 10.232
    ip -n "$(switch)" link set "rpc$node" type bridge_slave isolated on
    plug "$node" p2p 10.231
    if [[ $NETEM == yes ]]; then
        tc -n "$space" qdisc add dev p2p root netem limit 100000 \
            delay "${LATENCY_MS}ms" loss "$LOSS_PERCENT%"
    fi
    ip -n "$space" link set lo up
}

# Removes what a start that was interrupted left of a node's namespace. The kernel lets go of a
# namespace a little later; its cables need not wait for that.
wires_remove() {
    local space
    space=$(namespace "$1")
    has_namespace "$space" || return 0
    ip -n "$(switch)" link delete "rpc$1" 2>/dev/null || true
    ip -n "$(switch)" link delete "p2p$1" 2>/dev/null || true
    ip netns delete "$space"
}

# plug NODE BRIDGE NETWORK: a cable from a node to a bridge.
plug() {
    local node=$1 bridge=$2 network=$3 space
    space=$(namespace "$node")
    ip -n "$space" link add "$bridge" type veth peer name "$bridge$node" netns "$(switch)"
    ip -n "$(switch)" link set "$bridge$node" master "$bridge" up
    ip -n "$space" address add "$network.$SUBNET.$node/24" dev "$bridge"
    ip -n "$space" link set "$bridge" up
}

# wires_group NODE GROUP: moves a node to the bridge of its side; 0 is the one for all.
wires_group() {
    local bridge=p2p
    in_namespaces || return 0
    if (($2 > 0)); then bridge=side$2; fi
    make_bridge "$bridge"
    ip -n "$(switch)" link set "p2p$1" master "$bridge"
}

# Removes everything that is the devnet's own; what is in a namespace goes with it.
wires_down() {
    local space
    in_namespaces || return 0
    find_subnet
    [[ -n $SUBNET ]] || return 0
    for space in "$NAMESPACES/$(switch)"{,-*}; do
        space=${space##*/}
        if has_namespace "$space"; then ip netns delete "$space"; fi
    done
    # The kernel lets go of a namespace a little later; the cable to it need not wait for that.
    ip link delete "$(switch)" 2>/dev/null || true
    # Last: from now on the number is anybody's.
    rm -f "$(owner "$SUBNET")"
    SUBNET=""
}
