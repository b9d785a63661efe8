variable "name" {
  description = "Prefix of all names; the cluster's name."
  type        = string
}

variable "image" {
  description = "The image, by digest or by a tag that does not move."
  type        = string
  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[^:/]+)$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must have a digest or a tag other than latest."
  }
}

variable "repository_arn" {
  description = "The ECR repository that the image is pulled from."
  type        = string
}

variable "architecture" {
  description = "ARM64 (Graviton) or X86_64."
  type        = string
  default     = "ARM64"
  validation {
    condition     = contains(["ARM64", "X86_64"], var.architecture)
    error_message = "architecture must be ARM64 or X86_64."
  }
}

variable "subnet_ids" {
  description = "Private subnets of all zones."
  type        = list(string)
}

variable "security_group_id" {
  description = "The service's group."
  type        = string
}

variable "target_group_arns" {
  description = "Where the load balancer looks for the API, and for its second set."
  type        = object({ blue = string, green = string })
}

variable "green_tasks" {
  description = "How many tasks of a second set of the API there are at first, for a canary or a switch; null: there is none."
  type        = number
  default     = null
  validation {
    condition     = coalesce(var.green_tasks, 1) >= 1
    error_message = "green_tasks must be at least 1, or null."
  }
}

variable "settings" {
  description = "Settings of the binary, by their names in the environment."
  type        = map(string)
}

variable "secrets" {
  description = "Settings whose values are secrets: ARNs in Secrets Manager."
  type        = map(string)
  validation {
    condition     = length(setintersection(keys(var.secrets), keys(var.settings))) == 0
    error_message = "settings and secrets must not name the same."
  }
}

variable "kms_key_arns" {
  description = "Keys that encrypt the secrets."
  type        = list(string)
}

variable "roles" {
  description = "Size of api and worker tasks (CPU units, MiB), how many at first, and how many percent of them on spare capacity (Spot)."
  type        = map(object({ cpu = number, memory = number, tasks = number, spot_percent = optional(number, 0) }))
  validation {
    condition     = toset(keys(var.roles)) == toset(["api", "worker"]) && alltrue([for role in var.roles : role.tasks >= 0 && role.spot_percent >= 0 && role.spot_percent <= 100])
    error_message = "roles must be api and worker, with 0 tasks or more and spot_percent from 0 to 100."
  }
  validation {
    condition     = alltrue([for role in var.roles : contains([256, 512, 1024, 2048, 4096, 8192, 16384], role.cpu) && role.memory >= 2 * role.cpu && role.memory <= 8 * role.cpu])
    error_message = "roles must have a CPU that Fargate knows (256 to 16384) and 2 to 8 MiB for each unit of it."
  }
}

variable "log_groups" {
  description = "Names of the log groups of api, worker and migrate."
  type        = map(string)
}

variable "rollback_alarms" {
  description = "Alarms that turn a roll-out of the API back."
  type        = list(string)
}

variable "task_policy" {
  description = "What the process may do in AWS (JSON)."
  type        = string
}
