variable "region" {
  description = "The region of the state."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region of AWS such as us-east-1 or ap-southeast-1."
  }
}

variable "repository" {
  description = "The repository on GitHub: owner/name."
  type        = string
}

variable "environments" {
  description = "Environments that the pipeline plans and rolls out; empty in a further region of the account, which gets only a bucket."
  type        = set(string)
  validation {
    condition     = alltrue([for environment in var.environments : can(regex("^[a-z][a-z0-9]{1,11}$", environment))])
    error_message = "environments must be names such as dev or prod."
  }
}

variable "push_environment" {
  description = "The GitHub environment whose jobs push images here; null: another account has the images."
  type        = string
  default     = null
}

variable "image_source_arns" {
  description = "Repositories elsewhere that roll-outs here bring images from."
  type        = set(string)
  default     = []
}
