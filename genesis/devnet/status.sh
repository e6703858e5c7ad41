#!/usr/bin/env bash
# Shows the nodes of a devnet: state, height and hash of the head, peers, waiting transactions,
# percent of a thread with which a miner mines, and where tools connect.
#
#   genesis/devnet/status.sh            a table
#   genesis/devnet/status.sh --watch    the same every second, until Ctrl-C
#   genesis/devnet/status.sh --json     one line of JSON
#   genesis/devnet/status.sh --rpc 3    the URL of node 3, for other programs
#
# States: `running`; `in part N` while a partition lasts; `stopped`; `silent`, if the process is
# there but does not answer; `busy`, if it answers that it cannot tell now, as during a long
# reorganization.

set -euo pipefail
# shellcheck source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SHOW=show_table WATCH=no URL_OF=""
while (($# > 0)); do
    case $1 in
        --help | -h) help ;;
        --json) SHOW=show_json ;;
        --watch) WATCH=yes ;;
        --rpc)
            value "$1" $#
            URL_OF=$2
            shift
            ;;
        *) misuse "unknown option '$1'" ;;
    esac
    shift
done

open_devnet
if [[ -n $URL_OF ]]; then
    known "$URL_OF"
    say "$(url "$URL_OF")"
    exit 0
fi
while [[ $WATCH == yes ]]; do
    shown=$("$SHOW")
    # All is asked before anything is wiped: no flicker.
    if [[ $SHOW == show_table ]]; then printf '\033[H\033[J'; fi
    say "$shown"
    sleep 1
    exists || die "the devnet has been taken down"
done
"$SHOW"
