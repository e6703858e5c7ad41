# shellcheck shell=bash
# What the scripts of this directory share: everything that needs more than one of them, in
# files that are meant to be read.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Words to the user, options, --help.
# shellcheck source=lib/say.sh
source "$HERE/lib/say.sh"
# Where cairn and cairn-wallet are, and what else is needed.
# shellcheck source=lib/programs.sh
source "$HERE/lib/programs.sh"
# The one directory in which everything lies.
# shellcheck source=lib/state.sh
source "$HERE/lib/state.sh"
# Questions to a node.
# shellcheck source=lib/rpc.sh
source "$HERE/lib/rpc.sh"
# What joins the nodes: network namespaces, or loopback.
# shellcheck source=lib/wires.sh
source "$HERE/lib/wires.sh"
# Starting and ending one node.
# shellcheck source=lib/node.sh
source "$HERE/lib/node.sh"
# Who mines, and how much of the machine that may take.
# shellcheck source=lib/mining.sh
source "$HERE/lib/mining.sh"
# All nodes together: connected, parted, agreed.
# shellcheck source=lib/network.sh
source "$HERE/lib/network.sh"
# What is shown of them.
# shellcheck source=lib/table.sh
source "$HERE/lib/table.sh"
