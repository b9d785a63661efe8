#!/usr/bin/env bash
# Installs what the manifests count on, or brings it up to the versions named here: the AWS Load Balancer
# Controller, the cluster autoscaler, External Secrets, and Prometheus with the adapter that workers are
# scaled by. Each runs under the service account that has its role (output service_accounts of the stack
# aws-eks). Applied by an administrator; needs helm 3, and in the environment:
#
#   CLUSTER  name of the cluster
#   REGION   its region
#   VPC      its network (output vpc_id)
set -euo pipefail
: "${CLUSTER:?}" "${REGION:?}" "${VPC:?}"
folder=$(dirname "$0")

install() { # release, namespace, chart, version, repository, then more for helm
    local release=$1 namespace=$2 chart=$3 version=$4 repository=$5
    shift 5
    helm upgrade "$release" "$chart" --install --namespace "$namespace" --create-namespace \
        --repo "$repository" --version "$version" --wait --timeout 10m "$@"
}

install aws-load-balancer-controller kube-system aws-load-balancer-controller 1.13.4 \
    https://aws.github.io/eks-charts --values "$folder/values/load-balancer-controller.yaml" \
    --set "clusterName=$CLUSTER" --set "region=$REGION" --set "vpcId=$VPC"
install cluster-autoscaler kube-system cluster-autoscaler 9.50.1 \
    https://kubernetes.github.io/autoscaler --values "$folder/values/cluster-autoscaler.yaml" \
    --set "autoDiscovery.clusterName=$CLUSTER" --set "awsRegion=$REGION"
install external-secrets external-secrets external-secrets 0.19.2 \
    https://charts.external-secrets.io --values "$folder/values/external-secrets.yaml"
install prometheus monitoring prometheus 27.19.0 \
    https://prometheus-community.github.io/helm-charts --values "$folder/values/prometheus.yaml" \
    --values <(printf 'serverFiles:\n  alerting_rules.yml:\n'; sed 's/^/    /' "$folder/../prometheus/rules.yml")
install prometheus-adapter monitoring prometheus-adapter 4.14.1 \
    https://prometheus-community.github.io/helm-charts --values "$folder/../kubernetes/metrics-adapter.yaml" \
    --set "prometheus.url=http://prometheus-server.monitoring.svc" --set "prometheus.port=80"
kubectl apply --kustomize "$folder/../kubernetes/cluster"
