variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "region" {
  description = "The region."
  type        = string
}

variable "subnets" {
  description = "The subnets whose addresses may use the interfaces, by zone."
  type        = map(object({ id = string, cidr = string }))
}

variable "route_table_ids" {
  description = "Route tables that lead to the gateways."
  type        = list(string)
}

variable "services" {
  description = "Services with interfaces."
  type        = set(string)
}
