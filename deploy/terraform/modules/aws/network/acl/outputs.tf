output "private_ingress" {
  description = "What may come into the private subnets, whatever its protocol: ranges."
  value       = [for rule in aws_network_acl.this["private"].ingress : rule.cidr_block if rule.protocol == "-1"]
}

output "data_ingress" {
  description = "What may come into the data subnets: range and first port."
  value       = [for rule in aws_network_acl.this["data"].ingress : { range = rule.cidr_block, port = rule.from_port }]
}
