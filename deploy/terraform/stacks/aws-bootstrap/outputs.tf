output "state_bucket" {
  description = "For the backend files."
  value       = module.state.bucket.name
}

output "role_arns" {
  description = "AWS_ROLE_ARN of the pipeline: plan for plan-*, push for the one that pushes images, deploy for the others."
  value       = one(module.ci_role[*].role_arns)
}
