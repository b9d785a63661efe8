output "id" {
  description = "What metrics call it."
  value       = aws_db_instance.this.identifier
}

output "secrets" {
  description = "The secret of each setting."
  value       = { for version in aws_secretsmanager_secret_version.url : "DATABASE_READONLY_URL" => version.arn }
}
