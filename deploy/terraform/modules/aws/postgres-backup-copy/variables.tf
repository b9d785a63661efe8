variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "source_arn" {
  description = "The database."
  type        = string
}

variable "days" {
  description = "How far back a point in time can be restored, in days."
  type        = number
  default     = 7
  validation {
    condition     = var.days >= 1 && var.days <= 35
    error_message = "days must be from 1 to 35."
  }
}
