#!/usr/bin/env bash
# Gives every Deployment what it ran before roll-out.sh, and waits until it serves. The schema stays:
# migrations only go forward, and the old version works with them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

if ! test -s "$before"; then
    echo "nothing was rolled out"
    exit 0
fi
while read -r deployment revision; do
    if test "$(revision "$deployment")" != "$revision"; then
        in_namespace rollout undo "$deployment" --to-revision="$revision"
    fi
done < "$before"
while read -r deployment _; do
    in_namespace rollout status "$deployment" --timeout=15m
done < "$before"
