#!/usr/bin/env bash
# Brings what the pods stand on up to date, then runs the migrations of $IMAGE as a job, and fails when they
# fail. They are safe while the old version still serves.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

component=app.kubernetes.io/component
# Settings, accounts and policies have no component: they come first, then the job; the fleet stays.
manifests | kubectl apply --selector "!$component" --filename -
in_namespace delete job migrate --ignore-not-found
manifests | kubectl apply --selector "$component=migrate" --filename -
if ! in_namespace wait --for=condition=complete job/migrate --timeout=10m; then
    in_namespace logs job/migrate --tail=50 >&2 || true
    exit 1
fi
