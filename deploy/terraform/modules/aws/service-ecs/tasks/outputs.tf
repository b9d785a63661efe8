output "arns" {
  description = "The task definitions."
  value       = { for task, definition in aws_ecs_task_definition.this : task => definition.arn }
  depends_on  = [aws_iam_role_policy.this]
}

output "definitions" {
  description = "What runs in each task, and on which architecture."
  value       = { for task, definition in aws_ecs_task_definition.this : task => { containers = jsondecode(definition.container_definitions), architecture = definition.runtime_platform[0].cpu_architecture } }
}

output "policies" {
  description = "What each role may do (JSON)."
  value       = { for key, policy in aws_iam_role_policy.this : key => policy.policy }
}

output "environment" {
  description = "What the process finds in its environment, by task: settings with values, secrets with references."
  value = { for task, container in local.containers : task => {
    settings = { for item in container.environment : item.name => item.value }
    secrets  = { for item in container.secrets : item.name => item.valueFrom }
  } }
}

output "role_arns" {
  description = "Roles that a roll-out passes on."
  value       = [for role in aws_iam_role.this : role.arn]
}
