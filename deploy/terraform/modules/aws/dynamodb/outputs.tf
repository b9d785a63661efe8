output "name" {
  description = "Its name: DATABASE_URL is dynamodb://REGION/NAME."
  value       = aws_dynamodb_table.this.name
}

output "arn" {
  description = "Its ARN."
  value       = aws_dynamodb_table.this.arn
}

output "policy" {
  description = "What a process needs to use it (JSON)."
  value       = data.aws_iam_policy_document.use.json
}
