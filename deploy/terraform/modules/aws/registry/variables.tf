variable "name" {
  description = "The repository."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts it."
  type        = string
}

variable "kept" {
  description = "How many releases are kept."
  type        = number
  default     = 50
  validation {
    condition     = var.kept >= 5
    error_message = "kept must be at least 5, or there is nothing to go back to."
  }
}

variable "replica_regions" {
  description = "Other regions that get a copy of each image."
  type        = set(string)
  default     = []
}

variable "disposable" {
  description = "Whether destroy deletes it with its images."
  type        = bool
  default     = false
}

variable "reader_account_ids" {
  description = "Accounts that bring images from here into their own registries, as far as their own roles may."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for id in var.reader_account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "reader_account_ids must be numbers of accounts, of 12 digits."
  }
}
