variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "repository" {
  description = "The repository on GitHub: owner/name."
  type        = string
  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.repository))
    error_message = "repository must be owner/name."
  }
}

variable "deployments" {
  description = "Names of the deployments that may be rolled out, such as outrigger-prod: of their clusters, services, images and roles."
  type        = set(string)
  validation {
    condition     = length(var.deployments) > 0 && alltrue([for name in var.deployments : can(regex("^[a-z][a-z0-9-]+$", name))])
    error_message = "deployments must be names such as outrigger-prod."
  }
}

variable "environments" {
  description = "GitHub environments whose jobs may roll out."
  type        = set(string)
}

variable "push_environment" {
  description = "The GitHub environment whose jobs push images; null: images are pushed to another account."
  type        = string
  default     = null
}

variable "source_arns" {
  description = "Repositories of images elsewhere, in another account or region, that a roll-out brings from."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for arn in var.source_arns : can(regex("^arn:aws:ecr:[a-z0-9-]+:[0-9]{12}:repository/[a-z0-9/_.-]+$", arn))])
    error_message = "source_arns must be ARNs of repositories of ECR."
  }
}

variable "state" {
  description = "The bucket of Terraform's state and its key, which a plan reads."
  type        = object({ bucket_arn = string, kms_key_arn = string })
}
