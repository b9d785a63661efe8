#!/usr/bin/env bash
# Runs a command of the binary once, in a task with the settings and secrets of the deployment, such as
# `deploy/ecs/run.sh doctor`. With STAGE in the environment it has the value of DATABASE_URL that has this
# staging label in Secrets Manager. What it prints is in the log group /$CLUSTER/migrate.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

definition=$MIGRATE_TASK
if test -n "${STAGE:-}"; then
    # shellcheck disable=SC2016  # a variable of jq
    definition=$(changed "$MIGRATE_TASK" \
        '.secrets |= map(if .name == "DATABASE_URL" then .valueFrom += "::\($value):" else . end)' "$STAGE")
    # Nobody may take this revision for the newest.
    trap 'aws ecs deregister-task-definition --task-definition "$definition" > /dev/null' EXIT
fi
run "$definition" --overrides \
    "$(jq --null-input '{containerOverrides: [{name: "outrigger", command: $ARGS.positional}]}' --args -- "$@")"
