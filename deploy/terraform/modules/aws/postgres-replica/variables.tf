variable "name" {
  description = "Its name."
  type        = string
}

variable "database" {
  description = "The database that it follows: its identifier in the same region, its ARN in another. AWS wants it so."
  type        = string
  validation {
    condition     = startswith(var.database, "arn:") == (length(var.subnet_ids) > 0)
    error_message = "database must be an identifier in the same region (without subnet_ids), and an ARN in another (with them)."
  }
}

variable "instance_class" {
  description = "Size of the instance."
  type        = string
}

variable "security_group_id" {
  description = "The database's group."
  type        = string
}

variable "kms_key_arn" {
  description = "The key of what belongs to it: in the same region the database's own, which encrypts its storage anyway; in another one of there."
  type        = string
}

variable "subnet_ids" {
  description = "Data subnets of the other region; empty in the same region, where it stands in the database's."
  type        = list(string)
  default     = []
  validation {
    condition     = length(var.subnet_ids) != 1
    error_message = "subnet_ids must have subnets of at least two zones, or none in the same region."
  }
}

variable "deletion_protection" {
  description = "Whether deleting is refused."
  type        = bool
}

variable "password_secret_arn" {
  description = "The secret with the URL of the database, from which that of a replica in the same region is made."
  type        = string
  default     = null
}

variable "url_version" {
  description = "The version of the database's password."
  type        = number
  default     = 1
}

variable "promoted" {
  description = "Whether it stands by itself: taking the source away is what promotes it, or says that people did."
  type        = bool
  default     = false
}

variable "multi_az" {
  description = "Whether a standby in another zone takes over."
  type        = bool
  default     = false
}
