variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "image" {
  description = "The image."
  type        = string
}

variable "repository_arn" {
  description = "The ECR repository of the image."
  type        = string
}

variable "architecture" {
  description = "ARM64 or X86_64."
  type        = string
}

variable "settings" {
  description = "Settings of the binary, by their names in the environment."
  type        = map(string)
}

variable "secrets" {
  description = "Settings whose values are secrets: ARNs in Secrets Manager."
  type        = map(string)
}

variable "kms_key_arns" {
  description = "Keys that encrypt the secrets."
  type        = list(string)
}

variable "sizes" {
  description = "Size of api and worker tasks: CPU units, MiB."
  type        = map(object({ cpu = number, memory = number }))
}

variable "log_groups" {
  description = "Names of the log groups of api, worker and migrate."
  type        = map(string)
}

variable "task_policy" {
  description = "What the process may do in AWS (JSON)."
  type        = string
}
