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

# Registers the task definition $1 again with another image; prints the ARN of the new revision.
with_image() {
    local definition
    definition=$(aws ecs describe-task-definition --task-definition "$1" --query taskDefinition --output json |
        jq --arg image "$IMAGE" '
            .containerDefinitions |= map(if .name == "outrigger" then .image = $image else . end)
            | del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities,
                  .registeredAt, .registeredBy, .deregisteredAt)')
    aws ecs register-task-definition --cli-input-json "$definition" \
        --query taskDefinition.taskDefinitionArn --output text
}
