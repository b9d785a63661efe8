variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of the logs; it must allow CloudWatch Logs."
  type        = string
}

variable "days" {
  description = "How long they are kept, in days."
  type        = number
}
