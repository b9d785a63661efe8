output "resource_ids" {
  description = "What schedules scale, by role."
  value       = { for role, target in aws_appautoscaling_target.this : role => target.resource_id }
}
