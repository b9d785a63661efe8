#!/usr/bin/env bash
# Runs the migrations of $IMAGE as a task of the cluster, and fails when they fail. They are safe while
# the old version still serves.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "$0")/common.sh"

definition=$(with_image "$MIGRATE_TASK")
task=$(aws ecs run-task --cluster "$CLUSTER" --task-definition "$definition" --launch-type FARGATE \
    --network-configuration "$NETWORK" --query 'tasks[0].taskArn' --output text)
aws ecs wait tasks-stopped --cluster "$CLUSTER" --tasks "$task"
code=$(aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" \
    --query "tasks[0].containers[?name=='outrigger'].exitCode | [0]" --output text)
echo "migrations ended with $code"
test "$code" = 0
