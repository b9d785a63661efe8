output "cluster" {
  description = "The cluster (CLUSTER of the pipeline): aws eks update-kubeconfig --name …"
  value       = module.cluster.name
}

output "vpc_id" {
  description = "The network, for the load-balancer controller."
  value       = module.network.vpc_id
}

output "service_accounts" {
  description = "Under which service account (namespace/name) each controller must run."
  value       = module.identities.service_accounts
}

output "secrets" {
  description = "The secret of each setting, for the ExternalSecret."
  value       = module.data.secrets
}

output "backends" {
  description = "Where PostgreSQL (host:port; null: it is elsewhere) and Redis are, for postgres-service and redis-service."
  value       = { postgres = try(module.data.database.endpoint, null), redis = module.data.redis_endpoint }
}

output "settings" {
  description = "For settings.env of the overlay."
  value = merge(
    { BLOB_URL = "s3://${module.data.blobs.name}?region=${var.region}" },
    var.dynamodb ? { DATABASE_URL = "dynamodb://${var.region}/${module.data.dynamodb.name}" } : {},
  )
}

output "certificate_arn" {
  description = "For the Ingress (alb.ingress.kubernetes.io/certificate-arn)."
  value       = one(module.dns[*].certificate_arn)
}

output "load_balancer_security_group_id" {
  description = "For the Ingress (alb.ingress.kubernetes.io/security-groups)."
  value       = module.security.load_balancer_id
}

output "request_log_bucket" {
  description = "For the Ingress (access_logs.s3.bucket)."
  value       = module.request_logs.name
}

output "role_arns" {
  description = "For the annotations of service accounts (eks.amazonaws.com/role-arn), by service account."
  value       = module.identities.role_arns
}

output "public_subnet_ids" {
  description = "For the Ingress (alb.ingress.kubernetes.io/subnets)."
  value       = module.network.public_subnet_ids
}

output "registry_url" {
  description = "Where images are pushed to."
  value       = module.registry.url
}

output "blobs" {
  description = "The bucket for files."
  value       = module.data.blobs.name
}
