variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "service_port" {
  description = "The public port of the API (http.port)."
  type        = number
  default     = 8000
  validation {
    condition     = var.service_port > 1023 && var.service_port < 65536
    error_message = "service_port must be from 1024 to 65535: the process has no right to lower ones."
  }
}

variable "clients" {
  description = "Addresses that may reach the load balancer."
  type        = set(string)
  default     = ["0.0.0.0/0"]
  validation {
    condition     = length(var.clients) > 0 && alltrue([for range in var.clients : can(cidrnetmask(range))])
    error_message = "clients must be IPv4 ranges such as 203.0.113.0/24."
  }
}

variable "outgoing_ports" {
  description = "TCP ports that the service may reach outside: HTTPS and mail."
  type        = set(number)
  default     = [443, 465, 587]
}
