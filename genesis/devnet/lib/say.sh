# shellcheck shell=bash
# Words to the user. Results go to stdout, all else to stderr, as by the programs.

say() { printf '%s\n' "$*"; }

note() { printf '%s\n' "$*" >&2; }

# What nobody thought of does not fail in silence, nor go on after a failure in $(…).
set -E
shopt -s inherit_errexit
trap '((BASH_SUBSHELL > 0)) || note "error: a command failed in ${BASH_SOURCE[0]##*/}, line $LINENO"' ERR

# Without this bash goes on if the program that it waits for ends by itself.
trap 'exit 130' INT
trap 'exit 143' TERM

# Something failed: exit code 1.
die() {
    note "error: $*"
    exit 1
}

# Another command line is needed: exit code 2.
misuse() {
    note "error: $*"
    note "Help: ${0##*/} --help"
    exit 2
}

# The comment at the top of the script is its help.
help() {
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
}

# no_options WORD...: for scripts that know none but --help.
no_options() {
    local word
    for word in "$@"; do
        case $word in
            --help | -h) help ;;
            -*) misuse "unknown option '$word'" ;;
        esac
    done
}

# Whole numbers without leading zeros, which bash would take for octal.
is_number() { [[ $1 =~ ^(0|[1-9][0-9]{0,8})$ ]]; }

# number OPTION VALUE LEAST MOST: checks the value of an option.
number() {
    if ! is_number "$2" || (($2 < $3 || $2 > $4)); then
        misuse "$1 takes a whole number from $3 to $4, not '$2'"
    fi
}

# value OPTION COUNT: checks that an option is not the last word of the line.
value() { (($2 >= 2)) || misuse "$1 needs a value"; }

# wait_until SECONDS COMMAND...: repeats a command until it succeeds; fails when the time is up.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}
