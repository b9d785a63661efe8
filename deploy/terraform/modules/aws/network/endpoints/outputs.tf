output "interface" {
  description = "Names of the services with interfaces."
  value       = { for key, endpoint in aws_vpc_endpoint.interface : key => endpoint.service_name }
}

output "gateway" {
  description = "Names of the services with gateways."
  value       = { for key, endpoint in aws_vpc_endpoint.gateway : key => endpoint.service_name }
}
