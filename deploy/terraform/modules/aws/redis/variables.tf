variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "environment" {
  description = "Such as dev or prod; prod insists on two nodes."
  type        = string
}

variable "subnet_ids" {
  description = "Data subnets of at least two zones."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must have subnets of at least two zones."
  }
}

variable "security_group_id" {
  description = "The group of Redis."
  type        = string
}

variable "node_type" {
  description = "Size of a node."
  type        = string
  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.node_type))
    error_message = "node_type must be a type of ElastiCache such as cache.t4g.small."
  }
}

variable "nodes" {
  description = "The primary and its replicas."
  type        = number
  default     = 2
  validation {
    condition     = var.nodes >= 1 && var.nodes <= 6 && (var.nodes >= 2 || var.environment != "prod")
    error_message = "nodes must be from 1 to 6, and at least 2 in prod, for failover."
  }
}

variable "kms_key_arn" {
  description = "The key that encrypts it; it must allow CloudWatch Logs."
  type        = string
}

variable "protected" {
  description = "Whether deleting leaves a snapshot and secrets can be brought back."
  type        = bool
  validation {
    condition     = var.protected || var.environment != "prod"
    error_message = "prod needs protection."
  }
}

variable "token_version" {
  description = "Another number makes another token; the one before stays valid until the next."
  type        = number
  default     = 1
}

variable "log_days" {
  description = "How long the log of slow commands is kept, in days."
  type        = number
  default     = 30
}
