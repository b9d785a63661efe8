variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "table_arn" {
  description = "The table."
  type        = string
}

variable "copy_vault_arn" {
  description = "The vault in another region that gets the copies."
  type        = string
}

variable "topic_arn" {
  description = "The topic that is told of backups and copies that fail."
  type        = string
}

variable "every_hours" {
  description = "How often, in hours: what is written since the last copy is lost with the region. Each copy is of the whole table."
  type        = number
  default     = 6
  validation {
    condition     = contains([1, 2, 3, 4, 6, 8, 12, 24], var.every_hours)
    error_message = "every_hours must divide a day: 1, 2, 3, 4, 6, 8, 12 or 24."
  }
}

variable "days" {
  description = "How long copies are kept, in days."
  type        = number
  default     = 7
  validation {
    condition     = var.days >= 1 && var.days <= 365
    error_message = "days must be from 1 to 365."
  }
}

variable "disposable" {
  description = "Whether destroying it deletes the backups here; else that is refused."
  type        = bool
  default     = false
}
