variable "name" {
  description = "Prefix of all names."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 24 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "cidr" {
  description = "Addresses of the VPC."
  type        = string
  default     = "10.0.0.0/16"
  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr must be an IPv4 range from /16 to /20, such as 10.0.0.0/16."
  }
}

variable "zone_count" {
  description = "Over how many zones."
  type        = number
  default     = 3
  validation {
    condition     = contains([2, 3], var.zone_count)
    error_message = "zone_count must be 2 or 3."
  }
}

variable "nat" {
  description = "How private subnets get out: one gateway, or one in each zone."
  type        = string
  default     = "per-zone"
  validation {
    condition     = contains(["one", "per-zone"], var.nat)
    error_message = "nat must be \"one\" or \"per-zone\"."
  }
}

variable "interface_endpoints" {
  description = "AWS services that are reached without NAT, besides S3 and DynamoDB; each costs by zone and hour."
  type        = set(string)
  default     = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"]
}

variable "kms_key_arn" {
  description = "The key of the flow logs; it must allow CloudWatch Logs."
  type        = string
}

variable "flow_log_days" {
  description = "How long flow logs are kept, in days."
  type        = number
  default     = 365
}

variable "cluster_name" {
  description = "A Kubernetes cluster whose load-balancer controller finds its subnets by tags; null: none."
  type        = string
  default     = null
}
