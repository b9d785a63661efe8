variable "domain" {
  description = "The name under which clients reach the deployment."
  type        = string
  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "domain must be a name such as api.example.com."
  }
}

variable "zone_id" {
  description = "The hosted zone that the domain belongs to."
  type        = string
  validation {
    condition     = can(regex("^Z[A-Z0-9]{5,}$", var.zone_id))
    error_message = "zone_id must be the id of a hosted zone, such as Z0123456789ABCDEFGHIJ."
  }
}

variable "other_names" {
  description = "Further names in the certificate, with records of their own."
  type        = set(string)
  default     = []
}

variable "load_balancer" {
  description = "Name and zone of the load balancer; null: there are no records for it, only the certificate."
  type        = object({ dns_name = string, zone_id = string })
}
