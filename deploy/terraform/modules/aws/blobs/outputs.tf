output "name" {
  description = "Its name."
  value       = module.bucket.name
}

output "policy" {
  description = "What a process needs to use it (JSON)."
  value       = data.aws_iam_policy_document.use.json
}
