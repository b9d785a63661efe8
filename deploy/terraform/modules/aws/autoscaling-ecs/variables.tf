variable "name" {
  description = "The deployment, as metrics call it."
  type        = string
}

variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "services" {
  description = "Names of the services api and worker."
  type        = object({ api = string, worker = string })
}

variable "limits" {
  description = "Fewest and most tasks of each."
  type        = map(object({ min = number, max = number }))
  validation {
    condition     = toset(keys(var.limits)) == toset(["api", "worker"]) && alltrue([for limit in var.limits : limit.min >= 1 && limit.max >= limit.min && limit.max <= 200])
    error_message = "limits must be of api and worker, with min of at least 1 and max from min to 200."
  }
}

variable "request_label" {
  description = "Load balancer and target group as the metric of requests calls them: app/…/targetgroup/…."
  type        = string
}

variable "requests_per_minute" {
  description = "How many requests a minute one API task serves."
  type        = number
  default     = 30000
}

variable "queue_age_s" {
  description = "How long a task may wait before workers are added, in seconds."
  type        = number
  default     = 10
}
