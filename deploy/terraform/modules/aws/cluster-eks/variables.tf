variable "name" {
  description = "The cluster."
  type        = string
}

variable "kubernetes_version" {
  description = "Such as 1.33."
  type        = string
  default     = "1.33"
  validation {
    condition     = can(regex("^1\\.(3[1-9]|[4-9][0-9])$", var.kubernetes_version))
    error_message = "kubernetes_version must be 1.31 or later, such as 1.33."
  }
}

variable "subnet_ids" {
  description = "Private subnets of all zones."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must have subnets of at least two zones."
  }
}

variable "node_security_group_id" {
  description = "The service's group, which nodes carry beside the cluster's own."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of secrets, disks and logs; it must allow CloudWatch Logs."
  type        = string
}

variable "metrics_log_group" {
  description = "The log group of the lines in which processes tell of their metrics."
  type        = string
}

variable "public_access" {
  description = "Addresses that reach the endpoint from outside; empty: it is private."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for range in var.public_access : can(cidrnetmask(range)) && range != "0.0.0.0/0"])
    error_message = "public_access must be IPv4 ranges, and not everybody's."
  }
}

variable "nodes" {
  description = "Groups of nodes: instance types, fewest and most, and whether on spare capacity (Spot)."
  type        = map(object({ types = list(string), min = number, max = number, spot = optional(bool, false) }))
  validation {
    condition     = anytrue([for group in var.nodes : !group.spot && group.min >= 1]) && alltrue([for group in var.nodes : group.max >= group.min])
    error_message = "nodes must have a group on demand with at least one node, and max from min on."
  }
}

variable "architecture" {
  description = "ARM64 or X86_64."
  type        = string
  default     = "ARM64"
  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "architecture must be ARM64 or X86_64."
  }
}

variable "administrators" {
  description = "ARNs of roles that may do everything in the cluster."
  type        = set(string)
}

variable "viewers" {
  description = "ARNs of roles that may look."
  type        = set(string)
  default     = []
}

variable "deployers" {
  description = "ARNs of roles that roll the application out, and may touch nothing else: the pipeline's."
  type        = set(string)
  default     = []
}

variable "tags" {
  description = "What nodes, their disks and addresses carry besides their name."
  type        = map(string)
  default     = {}
}
