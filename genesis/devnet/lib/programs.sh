# shellcheck shell=bash
# What must be installed, and where our own programs are.

need() {
    local tool missing=()
    for tool in "$@"; do
        command -v "$tool" >/dev/null || missing+=("$tool")
    done
    ((${#missing[@]} == 0)) ||
        die "missing: ${missing[*]}. Debian has it in curl, sed, grep, coreutils, util-linux, make or iproute2."
}

need curl sed grep sort paste nproc realpath setsid flock

# find_programs DIR: sets CAIRN and WALLET; builds them if DIR is empty and they are not there.
find_programs() {
    local dir=$1
    if [[ -z $dir ]]; then
        dir=${CARGO_TARGET_DIR:-$HOME/.cache/cairn-target}/release
        [[ -x $dir/cairn && -x $dir/cairn-wallet ]] || build
    fi
    [[ -x $dir/cairn && -x $dir/cairn-wallet ]] || die "no cairn and cairn-wallet in $dir"
    dir=$(cd "$dir" && pwd)
    CAIRN=$dir/cairn WALLET=$dir/cairn-wallet
}

build() {
    need make
    note "Building cairn first; that takes long the first time."
    make -C "$HERE/../.." build >&2 || die "cairn does not build; see above"
}

# Put before a program, hides what the user's environment says of nodes and wallets, so that
# all nodes are alike; CAIRN_LOG may make them talk more.
PLAIN=(env)
for name in "${!CAIRN_@}"; do
    [[ $name == CAIRN_LOG ]] || PLAIN+=(-u "$name")
done
