output "log_files" {
  description = "What was added to the configuration of Fluent Bit, by file."
  value       = jsondecode(aws_eks_addon.this["amazon-cloudwatch-observability"].configuration_values).containerLogs.fluentBit.config.extraFiles
}
