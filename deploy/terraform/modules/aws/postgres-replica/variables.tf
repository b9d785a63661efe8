variable "name" {
  description = "Its name."
  type        = string
}

variable "source_arn" {
  description = "The database that it follows."
  type        = string
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
  description = "The key that encrypts it: the database's own, or one of the other region."
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
