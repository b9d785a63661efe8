variable "name" {
  description = "Name, unique in the world."
  type        = string
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 lower-case letters, digits and dashes."
  }
}

variable "kms_key_arn" {
  description = "The key that encrypts it; null: a key of S3, as services need that cannot use others."
  type        = string
  default     = null
}

variable "expire_days" {
  description = "After how many days objects are deleted; null: never."
  type        = number
  default     = null
}

variable "archive_days" {
  description = "After how many days objects move to cheaper storage; null: never."
  type        = number
  default     = null
}

variable "old_version_days" {
  description = "How long replaced and deleted objects can be brought back, in days."
  type        = number
  default     = 30
  validation {
    condition     = var.old_version_days >= 1
    error_message = "old_version_days must be at least 1."
  }
}

variable "disposable" {
  description = "Whether destroy deletes it with all it holds; otherwise it is refused while something is in it."
  type        = bool
  default     = false
}

variable "policies" {
  description = "Policy documents (JSON) with what else is allowed, besides what IAM says."
  type        = list(string)
  default     = []
}

variable "cors_origins" {
  description = "Origins whose pages may read and write objects by signed URLs."
  type        = list(string)
  default     = []
  validation {
    condition     = !contains(var.cors_origins, "*")
    error_message = "cors_origins must name your own pages, not *."
  }
}
