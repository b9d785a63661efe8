variable "name" {
  description = "Name of the bucket, unique in the world."
  type        = string
}

variable "days" {
  description = "How long access logs are kept, in days."
  type        = number
  default     = 90
  validation {
    condition     = var.days >= 1
    error_message = "days must be at least 1."
  }
}

variable "disposable" {
  description = "Whether destroy deletes it with all it holds."
  type        = bool
  default     = false
}
