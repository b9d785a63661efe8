output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "services" {
  description = "Names of the services by role (and api-green), which are also those of their task families."
  value       = { for role, service in aws_ecs_service.this : role => service.name }
}

output "migrate_family" {
  description = "The family of the task that migrates."
  value       = "${var.name}-migrate"
}

output "environment" {
  description = "What the process finds in its environment, by task: settings with values, secrets with references."
  value       = module.tasks.environment
}

output "role_arns" {
  description = "Roles that a roll-out passes on."
  value       = module.tasks.role_arns
}
