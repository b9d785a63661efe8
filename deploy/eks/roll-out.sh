#!/usr/bin/env bash
# Rolls $IMAGE out on every Deployment and waits until it serves.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

: > "$before"
for deployment in $(fleet); do
    echo "$deployment $(revision "$deployment")" >> "$before"
done
manifests | kubectl apply --filename -
for deployment in $(fleet); do
    in_namespace rollout status "$deployment" --timeout=15m
done
in_namespace get deployments --output wide
