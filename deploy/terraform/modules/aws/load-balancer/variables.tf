variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "environment" {
  description = "Such as dev or prod; prod insists on a certificate and protection."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Public subnets, one in each zone."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must have subnets of at least two zones."
  }
}

variable "security_group_id" {
  description = "The load balancer's group."
  type        = string
}

variable "certificate_arn" {
  description = "The ACM certificate; null: plain HTTP."
  type        = string
  default     = null
}

variable "has_certificate" {
  description = "Whether there is a certificate: known before its ARN is."
  type        = bool
  validation {
    condition     = var.has_certificate || var.environment != "prod"
    error_message = "prod needs a certificate: set domain and zone, or certificate_arn."
  }
}

variable "deletion_protection" {
  description = "Whether deleting is refused."
  type        = bool
  validation {
    condition     = var.deletion_protection || var.environment != "prod"
    error_message = "prod needs deletion_protection."
  }
}

variable "port" {
  description = "The port of the targets."
  type        = number
  default     = 8000
}

variable "drain_s" {
  description = "How long targets that leave may finish, in seconds; as long as the process needs to end (http.shutdown_s)."
  type        = number
  default     = 30
}

variable "green_percent" {
  description = "How much traffic goes to the green target group, in percent."
  type        = number
  default     = 0
  validation {
    condition     = var.green_percent >= 0 && var.green_percent <= 100 && floor(var.green_percent) == var.green_percent
    error_message = "green_percent must be a whole number from 0 to 100."
  }
}

variable "log_bucket_name" {
  description = "Name of the bucket for access logs, which is made here."
  type        = string
}

variable "log_days" {
  description = "How long access logs are kept, in days."
  type        = number
  default     = 90
}
