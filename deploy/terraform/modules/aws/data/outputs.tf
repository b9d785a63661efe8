output "secrets" {
  description = "The secret of each setting."
  value       = local.secrets
}

output "kms_key_arns" {
  description = "The keys of these secrets."
  value       = local.kms_key_arns
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
  description = "The bucket for files."
  value       = { name = module.blobs.name }
}

output "service_policy" {
  description = "What a process may do in AWS (JSON)."
  value       = data.aws_iam_policy_document.use.json
}

output "dynamodb" {
  description = "Name and ARN of the DynamoDB table; null: there is none."
  value       = one([for table in module.dynamodb : { name = table.name, arn = table.arn }])
}
