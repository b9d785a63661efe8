variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "bucket_name" {
  description = "Name of the bucket, which is made here."
  type        = string
}

variable "days" {
  description = "How long it is kept, in days."
  type        = number
  default     = 365
  validation {
    condition     = var.days >= 90
    error_message = "days must be at least 90."
  }
}

variable "config" {
  description = "Whether AWS Config records the state of resources."
  type        = bool
  default     = true
}

variable "disposable" {
  description = "Whether destroy deletes what was recorded."
  type        = bool
  default     = false
}
