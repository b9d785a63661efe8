output "instance" {
  description = "Id, ARN, address (host:port) and storage (GiB, as it has grown by itself) of the replica."
  value = {
    id          = aws_db_instance.this.identifier
    arn         = aws_db_instance.this.arn
    endpoint    = aws_db_instance.this.endpoint
    storage_gib = aws_db_instance.this.allocated_storage
  }
}

output "secrets" {
  description = "The secret of each setting."
  value       = { for version in aws_secretsmanager_secret_version.url : "DATABASE_READONLY_URL" => version.arn }
}
