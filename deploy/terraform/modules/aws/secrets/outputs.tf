output "secrets" {
  description = "The secret of each setting."
  value       = { for key, secret in aws_secretsmanager_secret.this : key => secret.arn }
  depends_on  = [aws_secretsmanager_secret_version.generated]
}
