output "logged" {
  description = "What is logged, and for how long."
  value       = { traffic = aws_flow_log.this.traffic_type, days = aws_cloudwatch_log_group.flow.retention_in_days }
}
