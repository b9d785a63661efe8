output "log_groups" {
  description = "Names of the log groups."
  value       = { for key, group in aws_cloudwatch_log_group.this : key => group.name }
}

output "topic_arn" {
  description = "Where alarms are sent."
  value       = aws_sns_topic.this.arn
}

output "rollback_alarms" {
  description = "Alarms that a bad roll-out sets off."
  value       = module.alarms.rollback
}
