output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "zones" {
  description = "The zones, in order."
  value       = local.zones
}

output "public_subnet_ids" {
  description = "For the load balancer, in the order of the zones."
  value       = [for zone in local.zones : aws_subnet.this["public-${zone}"].id]
}

output "private_subnet_ids" {
  description = "For services."
  value       = [for zone in local.zones : aws_subnet.this["private-${zone}"].id]
}

output "data_subnet_ids" {
  description = "For databases."
  value       = [for zone in local.zones : aws_subnet.this["data-${zone}"].id]
}

output "nat_addresses" {
  description = "The public addresses that requests to the outside come from."
  value       = [for address in aws_eip.nat : address.public_ip]
}
