variable "name" {
  description = "Its name."
  type        = string
}

variable "disposable" {
  description = "Whether destroying it deletes the backups in it; else that is refused."
  type        = bool
  default     = false
}
