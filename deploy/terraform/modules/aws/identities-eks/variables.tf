variable "name" {
  description = "The cluster."
  type        = string
}

variable "oidc_provider" {
  description = "The cluster's OIDC provider: its ARN, and its issuer without https://."
  type        = object({ arn = string, issuer = string })
}

variable "secret_arns" {
  description = "Secrets that external-secrets may read."
  type        = list(string)
}

variable "kms_key_arns" {
  description = "Their keys."
  type        = list(string)
}

variable "application_policies" {
  description = "What the pods of the application may do in AWS (JSON), by service account; empty: nothing."
  type        = map(string)
  default     = {}
}
