output "instance" {
  description = "Id, ARN, address (host:port) and storage (GiB, as it has grown by itself) of the database."
  value = {
    id          = aws_db_instance.this.identifier
    arn         = aws_db_instance.this.arn
    endpoint    = aws_db_instance.this.endpoint
    storage_gib = aws_db_instance.this.allocated_storage
  }
}

output "kms_key_arn" {
  description = "The key that encrypts it."
  value       = module.key.arn
}

output "secrets" {
  description = "The secret of each setting."
  value       = { DATABASE_URL = aws_secretsmanager_secret_version.url.arn }
}
