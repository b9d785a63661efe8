variable "name" {
  description = "Its alias."
  type        = string
}

variable "services" {
  description = "AWS services that may use it by themselves, such as logs.eu-west-1.amazonaws.com; others use it for who calls them."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for service in var.services : endswith(service, ".amazonaws.com")])
    error_message = "services must be principals such as sns.amazonaws.com."
  }
}

variable "deletion_days" {
  description = "How long a deleted key can be brought back, in days."
  type        = number
  default     = 30
  validation {
    condition     = var.deletion_days >= 7 && var.deletion_days <= 30
    error_message = "deletion_days must be from 7 to 30."
  }
}
