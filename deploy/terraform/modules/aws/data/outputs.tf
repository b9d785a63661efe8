output "secrets" {
  description = "The secret of each setting."
  value       = merge(concat([module.redis.secrets, module.secrets.secrets], module.postgres[*].secrets, module.replica[*].secrets)...)
}

output "kms_key_arns" {
  description = "The keys of these secrets."
  value       = concat([var.kms_key_arn], module.postgres[*].kms_key_arn)
}

output "database" {
  description = "Id, ARN, address (host:port) and storage (GiB, as it has grown) of the database; null: it is elsewhere."
  value       = one(concat(module.postgres, module.standby)[*].instance)
}

output "redis_endpoint" {
  description = "The name of Redis' primary."
  value       = module.redis.endpoint
}

output "redis_nodes" {
  description = "What metrics call the nodes of Redis."
  value       = module.redis.node_ids
}

output "blobs" {
  description = "The bucket for files, and what a process needs to use it."
  value       = { name = module.blobs.name, policy = module.blobs.policy }
}
