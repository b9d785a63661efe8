variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "environment" {
  description = "Such as dev or prod; prod insists on protection and two zones."
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
  description = "The database's group."
  type        = string
}

variable "engine_version" {
  description = "PostgreSQL's major version; minor ones come by themselves."
  type        = string
  default     = "17"
  validation {
    condition     = contains(["15", "16", "17"], var.engine_version)
    error_message = "engine_version must be 15, 16 or 17."
  }
}

variable "instance_class" {
  description = "Size of the instance."
  type        = string
  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "instance_class must be a class of RDS such as db.t4g.small."
  }
}

variable "storage_gib" {
  description = "Storage at first and at most, in GiB; it grows by itself."
  type        = object({ first = number, most = number })
  default     = { first = 20, most = 200 }
  validation {
    condition     = var.storage_gib.first >= 20 && var.storage_gib.most > var.storage_gib.first
    error_message = "storage_gib.first must be at least 20, and storage_gib.most more than it."
  }
}

variable "multi_az" {
  description = "Whether a standby in another zone takes over."
  type        = bool
  default     = true
  validation {
    condition     = var.multi_az || var.environment != "prod"
    error_message = "prod needs multi_az: without it the loss of a zone is the loss of the database."
  }
}

variable "backup_days" {
  description = "How far back a point in time can be restored, in days."
  type        = number
  default     = 7
  validation {
    condition     = var.backup_days >= 7 && var.backup_days <= 35
    error_message = "backup_days must be from 7 to 35."
  }
}

variable "deletion_protection" {
  description = "Whether deleting is refused, and leaves a last snapshot when it is allowed."
  type        = bool
  validation {
    condition     = var.deletion_protection || var.environment != "prod"
    error_message = "prod needs deletion_protection."
  }
}

variable "password_version" {
  description = "Another number makes another password."
  type        = number
  default     = 1
}

variable "log_kms_key_arn" {
  description = "The key of the logs; it must allow CloudWatch Logs."
  type        = string
}
