output "name" {
  description = "Its name, for plans of its region."
  value       = aws_backup_vault.this.name
}

output "arn" {
  description = "Its ARN, for copies from other regions."
  value       = aws_backup_vault.this.arn
}
