output "url" {
  description = "What images are called."
  value       = aws_ecr_repository.this.repository_url
}

output "arn" {
  description = "Its ARN."
  value       = aws_ecr_repository.this.arn
}
