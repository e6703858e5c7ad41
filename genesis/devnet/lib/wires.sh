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
# K is a number that no other devnet on this machine uses.

MOST_DEVNETS=250
P2P_PORT=30303
RPC_PORT=8545

switch() { printf 'cairn%d' "$SUBNET"; }

namespace() { printf 'cairn%d-%d' "$SUBNET" "$1"; }

in_namespaces() { [[ $WIRES == namespaces ]]; }

has_namespace() { ip netns list | grep -qE "^$1( |\$)"; }

# Why there can be no namespaces here; nothing if there can. Runs in a subshell, whose end, also
# by Ctrl-C, removes what was made to try it.
no_namespaces() (
    probe=cairn-probe-$$
    trap 'ip netns delete "$probe" 2>/dev/null || true' EXIT
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

# Makes the switch, unless it is there: after a restart of the machine it is not.
wires_up() {
    in_namespaces || return 0
    if [[ -z $SUBNET ]]; then
        choose_subnet
    elif has_namespace "$(switch)"; then
        return 0
    else
        ip netns add "$(switch)"
    fi
    make_switch
    choose_netem
}

# The first number that is free; to make its namespace is to take it.
choose_subnet() {
    for ((SUBNET = 1; SUBNET <= MOST_DEVNETS; SUBNET++)); do
        [[ -z $(ip -4 route show root "10.232.$SUBNET.0/24") ]] || continue
        if ip netns add "$(switch)" 2>/dev/null; then
            save_settings
            return 0
        fi
    done
    die "no free network is left for a devnet"
}

make_switch() {
    local switch
    switch=$(switch)
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

# Makes a node's namespace, unless it is there.
wires_add() {
    local node=$1 space
    in_namespaces || return 0
    space=$(namespace "$node")
    ! has_namespace "$space" || return 0
    ip netns add "$space"
    ip -n "$space" link set lo up
    plug "$node" rpc 10.232
    ip -n "$(switch)" link set "rpc$node" type bridge_slave isolated on
    plug "$node" p2p 10.231
    [[ $NETEM == yes ]] || return 0
    tc -n "$space" qdisc add dev p2p root netem limit 100000 \
        delay "${LATENCY_MS}ms" loss "$LOSS_PERCENT%"
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

# Removes everything; what is in a namespace goes with it.
wires_down() {
    local space
    if [[ -z ${SUBNET-} ]] || ! in_namespaces; then return 0; fi
    for space in $(ip netns list | sed -n "s/^\($(switch)\(-[0-9]*\)\?\)\( .*\)\?$/\1/p"); do
        ip netns delete "$space"
    done
    # The kernel lets go of a namespace a little later; the cable to it need not wait for that.
    ip link delete "$(switch)" 2>/dev/null || true
}
