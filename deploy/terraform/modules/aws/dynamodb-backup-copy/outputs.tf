output "role_arn" {
  description = "The role that restores are made with."
  value       = aws_iam_role.this.arn
}
