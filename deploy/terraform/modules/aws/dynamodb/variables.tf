variable "name" {
  description = "Its name."
  type        = string
}

variable "deletion_protection" {
  description = "Whether deleting it is refused."
  type        = bool
  default     = true
}
