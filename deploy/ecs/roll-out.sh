#!/usr/bin/env bash
# Rolls $IMAGE out on every service and waits until it serves. ECS goes back by itself when new tasks do
# not become healthy or an alarm of the deployment fires; this fails then.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

: > "$before"
for service in $SERVICES; do
    old=$(aws ecs describe-services --cluster "$CLUSTER" --services "$service" \
        --query 'services[0].taskDefinition' --output text)
    echo "$service $old" >> "$before"
    # The newest revision of the family, which has the name of the service: Terraform's, when it has
    # changed settings since the last roll-out.
    new=$(with_image "$service")
    aws ecs update-service --cluster "$CLUSTER" --service "$service" --task-definition "$new" > /dev/null
    echo "$service: $old -> $new"
done
for service in $SERVICES; do
    wait_until_done "$service"
    now=$(aws ecs describe-services --cluster "$CLUSTER" --services "$service" \
        --query 'services[0].taskDefinition' --output text)
    running=$(aws ecs describe-task-definition --task-definition "$now" --output text \
        --query "taskDefinition.containerDefinitions[?name=='outrigger'].image | [0]")
    echo "$service runs $running"
    test "$running" = "$IMAGE"
done
