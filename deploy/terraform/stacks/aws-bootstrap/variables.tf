variable "region" {
  description = "The region of the state."
  type        = string
}

variable "repository" {
  description = "The repository on GitHub: owner/name."
  type        = string
}

variable "environments" {
  description = "Environments that the pipeline plans and rolls out."
  type        = set(string)
}
