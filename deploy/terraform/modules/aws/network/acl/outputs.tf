output "data_ingress" {
  description = "What may come into the data subnets: range and first port."
  value       = [for rule in aws_network_acl.this["data"].ingress : { range = rule.cidr_block, port = rule.from_port }]
}
