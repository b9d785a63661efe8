variable "name" {
  description = "Prefix of all names; the deployment, as metrics call it."
  type        = string
}

variable "topic_arn" {
  description = "Where alarms are sent."
  type        = string
}

variable "ecs" {
  description = "The ECS cluster and its services by role; null: none."
  type        = object({ cluster = string, services = map(string) })
}

variable "eks_cluster" {
  description = "The EKS cluster; null: none."
  type        = string
}

variable "load_balancer" {
  description = "Load balancer and target groups, as metrics call them; null: none."
  type        = object({ suffix = string, target_groups = map(string) })
}

variable "database" {
  description = "The database, its storage (GiB) and how many connections it takes; null: none."
  type        = object({ id = string, storage_gib = number, connections_max = number })
}

variable "redis_nodes" {
  description = "The nodes of Redis, as metrics call them."
  type        = list(string)
}

variable "memory_mib" {
  description = "What a process may have of memory, at least (MiB)."
  type        = number
}

variable "is_always_on" {
  description = "Whether a process runs at any time, so that silence is a fault."
  type        = bool
}
