# shellcheck shell=bash
# What the scripts of a roll-out share. Sourced, with these in the environment:
#
#   CLUSTER        name of the cluster
#   SERVICES       names of the services, separated by blanks
#   MIGRATE_TASK   family of the task that migrates
#   NETWORK        network configuration for it, as JSON of `aws ecs run-task`
#   IMAGE          repository@sha256 of the image
#
# Needs the AWS command line and jq.

export AWS_PAGER=""
: "${CLUSTER:?}"

# What each service ran before, kept between the steps of one roll-out.
# shellcheck disable=SC2034  # used by those who source this
before="${RUNNER_TEMP:-/tmp}/before-$CLUSTER"

# Registers the task definition $1 again, with its container as the filter $2 of jq makes it, which may use
# $value ($3); prints the ARN of the new revision.
changed() {
    local definition
    definition=$(aws ecs describe-task-definition --task-definition "$1" --query taskDefinition --output json |
        jq --arg value "$3" "
            .containerDefinitions |= map(if .name == \"outrigger\" then $2 else . end)
            | del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities,
                  .registeredAt, .registeredBy, .deregisteredAt)")
    aws ecs register-task-definition --cli-input-json "$definition" \
        --query taskDefinition.taskDefinitionArn --output text
}

# The same with another image.
with_image() {
    # shellcheck disable=SC2016  # a variable of jq
    changed "$1" '.image = $value' "$IMAGE"
}

# Runs a task of the definition $1 to its end, with what else is given for `aws ecs run-task`; fails when it does.
run() {
    local definition=$1 task code
    shift
    task=$(aws ecs run-task --cluster "$CLUSTER" --task-definition "$definition" --launch-type FARGATE \
        --network-configuration "$NETWORK" --query 'tasks[0].taskArn' --output text "$@")
    aws ecs wait tasks-stopped --cluster "$CLUSTER" --tasks "$task"
    code=$(aws ecs describe-tasks --cluster "$CLUSTER" --tasks "$task" \
        --query "tasks[0].containers[?name=='outrigger'].exitCode | [0]" --output text)
    echo "task ${task##*/} ended with $code"
    test "$code" = 0
}

# Waits until the newest roll-out of the service $1 has ended, up to half an hour: ECS looks at the alarms for
# minutes after all tasks serve, which `aws ecs wait services-stable` does not always outlast.
wait_until_done() {
    local state
    for _ in {1..120}; do
        state=$(aws ecs describe-services --cluster "$CLUSTER" --services "$1" --output text \
            --query "services[0].deployments[?status=='PRIMARY'].rolloutState | [0]")
        case "$state" in
            COMPLETED) return 0 ;;
            FAILED) echo "$1: the roll-out failed" >&2; return 1 ;;
        esac
        sleep 15
    done
    echo "$1: the roll-out has not ended within 30 minutes" >&2
    return 1
}
