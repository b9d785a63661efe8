variable "name" {
  description = "Name, unique in the world."
  type        = string
}

variable "disposable" {
  description = "Whether destroy deletes it with all it holds."
  type        = bool
  default     = false
}

variable "archive_days" {
  description = "After how many days files move to cheaper storage by use."
  type        = number
  default     = 30
}

variable "cors_origins" {
  description = "Origins whose pages read and write by signed URLs."
  type        = list(string)
  default     = []
}
