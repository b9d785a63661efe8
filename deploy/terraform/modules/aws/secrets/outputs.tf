output "secrets" {
  description = "The secret of each setting."
  value       = { for key, secret in aws_secretsmanager_secret.this : key => secret.arn }
  depends_on  = [aws_secretsmanager_secret_version.generated]
}

output "provided" {
  description = "Which of them wait for a value from people."
  value       = var.provided
}

output "rotated" {
  description = "Which of them a function changes."
  value       = toset(keys(aws_secretsmanager_secret_rotation.this))
}
