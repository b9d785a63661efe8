variable "name" {
  description = "Prefix of all names; the deployment, as metrics call it."
  type        = string
}

variable "log_groups" {
  description = "Which log groups there are: where each process writes, its lines of metrics too."
  type        = set(string)
  default     = ["api", "worker", "migrate"]
}

variable "log_days" {
  description = "How long logs are kept, in days."
  type        = number
  default     = 30
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_days)
    error_message = "log_days must be a period that CloudWatch knows, such as 7, 30, 90 or 365."
  }
}

variable "kms_key_arn" {
  description = "The key of logs and messages; it must allow CloudWatch, Logs and EventBridge."
  type        = string
}

variable "emails" {
  description = "Who is told of alarms."
  type        = set(string)
  default     = []
  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", email))])
    error_message = "emails must be addresses."
  }
}

variable "ecs" {
  description = "The ECS cluster and its services by role; null: none."
  type        = object({ cluster = string, services = map(string) })
  default     = null
}

variable "eks_cluster" {
  description = "The EKS cluster; null: none."
  type        = string
  default     = null
}

variable "load_balancer" {
  description = "Load balancer and target groups, as metrics call them; null: none."
  type        = object({ suffix = string, target_groups = map(string) })
  default     = null
}

variable "database" {
  description = "The database, its storage (GiB) and how many connections it takes; null: none."
  type        = object({ id = string, storage_gib = number, connections_max = number })
  default     = null
}

variable "redis_nodes" {
  description = "The nodes of Redis, as metrics call them."
  type        = list(string)
  default     = []
}

variable "memory_mib" {
  description = "What a process may have of memory, at least (MiB)."
  type        = number
  default     = 512
}

variable "is_always_on" {
  description = "Whether a process runs at any time, so that silence is a fault."
  type        = bool
  default     = false
}
