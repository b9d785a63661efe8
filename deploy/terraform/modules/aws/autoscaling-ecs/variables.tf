variable "name" {
  description = "The deployment, as metrics call it."
  type        = string
}

variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "services" {
  description = "Names of the services: api, worker, and api-green where there is one."
  type        = map(string)
}

variable "limits" {
  description = "Fewest and most tasks of each."
  type        = map(object({ min = number, max = number }))
  validation {
    condition     = keys(var.limits) == keys(var.services) && alltrue([for limit in var.limits : limit.min >= 0 && limit.max >= max(limit.min, 1) && limit.max <= 200])
    error_message = "limits must be of the same services, with min of at least 0 and max from 1 and min to 200."
  }
}

variable "request_labels" {
  description = "Load balancer and target group of each set of the API, as the metric of requests calls them: app/…/targetgroup/…."
  type        = map(string)
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

variable "connections" {
  description = "How many connections a task of each service opens to the database, and how many the database takes; null: it counts none."
  type        = object({ of = map(number), max = number })
  default     = null
  validation {
    condition = var.connections == null || try(var.connections.max >= max(
      sum([for key, limit in var.limits : limit.max * var.connections.of[key]]),
      sum([for key, limit in var.limits : 2 * limit.min * var.connections.of[key]]),
    ), false)
    error_message = "The database does not take the connections of all tasks at most, or while the fewest are rolled out: take a larger class and say so in connections_max, or fewer tasks."
  }
}
