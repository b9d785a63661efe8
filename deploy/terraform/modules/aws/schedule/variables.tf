variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "environment" {
  description = "Any but prod."
  type        = string
  validation {
    condition     = var.environment != "prod"
    error_message = "prod does not sleep: set off_hours to null."
  }
}

variable "services" {
  description = "What Application Auto Scaling calls the services, by role; empty: there are none on ECS."
  type        = map(string)
  default     = {}
}

variable "node_groups" {
  description = "Groups of nodes of Kubernetes: the Auto Scaling group, fewest and most nodes by day."
  type        = map(object({ name = string, min = number, max = number }))
  default     = {}
}

variable "limits" {
  description = "Fewest and most tasks of each by day."
  type        = map(object({ min = number, max = number }))
  default     = {}
}

variable "database" {
  description = "The RDS instance: its id and ARN; null: it is elsewhere."
  type        = object({ id = string, arn = string })
}

variable "has_database" {
  description = "Whether there is one: known before its ARN is."
  type        = bool
  default     = true
}

variable "hours" {
  description = "When work begins and ends on weekdays (hour, 0 to 23), and where."
  type        = object({ begin = number, end = number, time_zone = string })
  validation {
    condition     = var.hours.begin >= 1 && var.hours.begin < var.hours.end && var.hours.end <= 23
    error_message = "hours must begin from 1 on, before they end, at most at 23."
  }
}

variable "kms_key_arn" {
  description = "The key that encrypts the schedules."
  type        = string
}
