output "id" {
  description = "What metrics and schedules call it."
  value       = aws_db_instance.this.identifier
}

output "arn" {
  description = "Its ARN, for replicas and copies of backups."
  value       = aws_db_instance.this.arn
}

output "kms_key_arn" {
  description = "The key that encrypts it."
  value       = module.key.arn
}

output "secrets" {
  description = "The secret of each setting."
  value       = { DATABASE_URL = aws_secretsmanager_secret_version.url.arn }
}
