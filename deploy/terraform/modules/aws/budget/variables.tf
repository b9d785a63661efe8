variable "name" {
  description = "Its name."
  type        = string
}

variable "monthly_usd" {
  description = "What a month may cost, in US dollars."
  type        = number
  validation {
    condition     = var.monthly_usd > 0
    error_message = "monthly_usd must be more than 0."
  }
}

variable "tags" {
  description = "Only what carries these tags is counted."
  type        = map(string)
  default     = {}
}

variable "topic_arn" {
  description = "Who is told: the topic of alarms."
  type        = string
}
