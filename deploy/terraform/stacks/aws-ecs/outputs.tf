output "url" {
  description = "Where clients reach it (PUBLIC_URL of the pipeline)."
  value       = local.url
}

output "registry_url" {
  description = "Where images are pushed to."
  value       = module.registry.url
}

output "cluster" {
  description = "The cluster (CLUSTER of the pipeline)."
  value       = module.service.cluster_name
}

output "services" {
  description = "The services (ECS_SERVICES)."
  value       = join(" ", [for role, service in module.service.services : service if role != "api-green"])
}

output "green_service" {
  description = "The second set of the API, for a roll-out of its own; null: there is none."
  value       = lookup(module.service.services, "api-green", null)
}

output "migrate_task" {
  description = "The family of the task that migrates (ECS_MIGRATE_TASK)."
  value       = module.service.migrate_family
}

output "migrate_network" {
  description = "Where it runs (ECS_NETWORK)."
  value = jsonencode({ awsvpcConfiguration = {
    subnets        = module.network.private_subnet_ids
    securityGroups = [module.security.service_id]
    assignPublicIp = "DISABLED"
  } })
}

output "task_role_arns" {
  description = "Roles that the pipeline's role may pass on."
  value       = module.service.role_arns
}

output "environment" {
  description = "What the process finds in its environment, by task."
  value       = module.service.environment
}

output "database" {
  description = "ARN and address of the database: for a replica in another region, and for its URL. Null: there is no PostgreSQL here."
  value       = var.database == null ? null : { arn = module.data.database.arn, endpoint = module.data.database.endpoint }
}

output "blobs" {
  description = "The bucket for files."
  value       = module.data.blobs.name
}

output "nat_addresses" {
  description = "The addresses that its requests to the outside come from."
  value       = module.network.nat_addresses
}
