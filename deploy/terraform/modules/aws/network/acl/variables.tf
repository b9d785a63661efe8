variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "cidr" {
  description = "Its addresses."
  type        = string
}

variable "subnet_ids" {
  description = "Its subnets, by tier."
  type        = object({ public = list(string), private = list(string), data = list(string) })
}
