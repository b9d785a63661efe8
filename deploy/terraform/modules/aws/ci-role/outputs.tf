output "role_arns" {
  description = "The roles (AWS_ROLE_ARN of the pipeline's environments)."
  value       = { for key, role in aws_iam_role.this : key => role.arn }
}
