#!/usr/bin/env bash
# Gives every service the task definition that it had before roll-out.sh, and waits until it serves. The
# schema stays: migrations only go forward, and the old version works with them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

if ! test -s "$before"; then
    echo "nothing was rolled out"
    exit 0
fi
while read -r service old; do
    aws ecs update-service --cluster "$CLUSTER" --service "$service" --task-definition "$old" > /dev/null
    echo "$service: back to $old"
done < "$before"
while read -r service _; do
    wait_until_done "$service"
done < "$before"
