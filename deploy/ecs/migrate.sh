#!/usr/bin/env bash
# Runs the migrations of $IMAGE as a task of the cluster, and fails when they fail. They are safe while
# the old version still serves.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

definition=$(with_image "$MIGRATE_TASK")
run "$definition"
