# shellcheck shell=bash
# What the scripts of a roll-out share. Sourced, with these in the environment:
#
#   CLUSTER  name of the cluster; empty: the one that kubectl speaks to already
#   OVERLAY  what runs in it, such as deploy/kubernetes/overlays/aws
#   IMAGE    repository@sha256 of the image
#
# Needs kubectl 1.30 or later, and the AWS command line for a cluster by name.

export AWS_PAGER=""
: "${OVERLAY:?}"

# What each Deployment ran before, kept between the steps of one roll-out.
# shellcheck disable=SC2034  # used by those who source this
before="${RUNNER_TEMP:-/tmp}/before-${CLUSTER:-cluster}"

if test -n "${CLUSTER:-}"; then
    export KUBECONFIG="${RUNNER_TEMP:-/tmp}/kubeconfig-$CLUSTER"
    aws eks update-kubeconfig --name "$CLUSTER" --kubeconfig "$KUBECONFIG" > /dev/null
fi

in_namespace() {
    kubectl --namespace outrigger "$@"
}

# The Deployments of the fleet.
fleet() {
    in_namespace get deployments --selector app.kubernetes.io/name=outrigger --output name
}

# Which revision of the Deployment $1 serves.
revision() {
    in_namespace get "$1" --output jsonpath='{.metadata.annotations.deployment\.kubernetes\.io/revision}'
}

# The overlay with $IMAGE in the place of its own; a canary keeps its.
manifests() {
    case "${IMAGE:?}" in *@sha256:*) ;; *) echo "IMAGE is not given by its digest: $IMAGE" >&2; return 1 ;; esac
    local folder
    folder=$(mktemp -d)
    cat > "$folder/kustomization.yaml" << END
resources:
  - $(realpath --relative-to="$folder" "$OVERLAY")
patches:
  - target:
      labelSelector: app.kubernetes.io/name=outrigger,app.kubernetes.io/component!=api-canary
      kind: Deployment|Job
    patch: |
      - op: replace
        path: /spec/template/spec/containers/0/image
        value: $IMAGE
END
    kubectl kustomize "$folder"
    rm -r "$folder"
}
