output "node_ids" {
  description = "What metrics call the nodes."
  value       = [for number in range(var.nodes) : format("%s-%03d", var.name, number + 1)]
}

output "endpoint" {
  description = "The primary's name, whichever node that is."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "secrets" {
  description = "The secret of each setting."
  value       = { REDIS_URL = aws_secretsmanager_secret_version.url.arn }
}
