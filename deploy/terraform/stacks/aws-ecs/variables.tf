variable "environment" {
  description = "Such as dev or prod; part of all names."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "environment must be 2 to 12 lower-case letters and digits, such as dev or prod."
  }
}

variable "region" {
  description = "The region, such as us-east-1, or ap-southeast-1 for South-East Asia."
  type        = string
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region of AWS such as us-east-1 or ap-southeast-1."
  }
}

variable "recovery_region" {
  description = "Another region that gets copies of backups and images; null: none."
  type        = string
  default     = null
  validation {
    condition     = var.recovery_region == null || (can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.recovery_region)) && var.recovery_region != var.region)
    error_message = "recovery_region must be a region of AWS other than region."
  }
}

variable "backup_copy" {
  description = "Copies in recovery_region: how long they are kept (days; of PostgreSQL at most 35), and, of a DynamoDB table, how often they are made (hours)."
  type        = object({ days = optional(number, 7), every_hours = optional(number, 6) })
  default     = {}
}

variable "registry_readers" {
  description = "Accounts whose roll-outs bring images from this registry."
  type        = set(string)
  default     = []
}

variable "network" {
  description = "Addresses, number of zones, NAT (\"one\" or \"per-zone\"), who may come, and to which ports webhooks and mail may go."
  type        = object({ cidr = optional(string, "10.0.0.0/16"), zones = optional(number, 3), nat = optional(string, "per-zone"), clients = optional(set(string), ["0.0.0.0/0"]), outgoing_ports = optional(set(number), [443, 465, 587]) })
  default     = {}
}

variable "domain" {
  description = "Name and hosted zone under which clients reach the deployment; with is_elsewhere there is the certificate, and the name leads to another region. Null: the name of the load balancer, without TLS, which prod refuses."
  type        = object({ name = string, zone_id = string, is_elsewhere = optional(bool, false) })
  default     = null
  validation {
    condition     = var.domain != null || var.environment != "prod"
    error_message = "prod needs a domain, whose certificate makes TLS possible."
  }
}

variable "deletion_protection" {
  description = "Whether load balancer, database and what holds data refuse to be deleted."
  type        = bool
  validation {
    condition     = var.deletion_protection || var.environment != "prod"
    error_message = "prod needs deletion_protection."
  }
}

variable "release" {
  description = "Tag of the image that the first tasks run; later ones are rolled out by the pipeline."
  type        = string
}

variable "architecture" {
  description = "ARM64 or X86_64."
  type        = string
  default     = "ARM64"
}

variable "roles" {
  description = "Size of tasks of api and worker (CPU units, MiB), fewest and most of them, and percent on spare capacity."
  type        = map(object({ cpu = number, memory = number, min = number, max = number, spot_percent = optional(number, 0) }))
  validation {
    condition     = var.environment != "prod" || alltrue([for role in var.roles : role.min >= 2])
    error_message = "prod needs at least 2 tasks of each role, in different zones."
  }
}

variable "database" {
  description = "PostgreSQL: class, storage at first, standby in another zone, read replica, and how many connections the class takes; with replica_of, the ARN of another region's, it follows that until it is promoted. Null: it is DynamoDB, or elsewhere, and DATABASE_URL is among the secrets; on Atlas, network.outgoing_ports must have 27017."
  type        = object({ class = string, storage_gib = optional(number, 20), multi_az = bool, replica = optional(bool, false), replica_of = optional(string), promoted = optional(bool, false), password_version = optional(number, 1), connections_max = number })
  validation {
    condition     = try(var.database.replica_of, null) == null || (can(regex("^arn:aws[a-z-]*:rds:[a-z0-9-]+:[0-9]{12}:db:.+$", var.database.replica_of)) && try(split(":", var.database.replica_of)[3], "") != var.region)
    error_message = "database.replica_of must be the ARN of a database in another region."
  }
}

variable "dynamodb" {
  description = "Whether a DynamoDB table is the database, for database = null."
  type        = bool
  default     = false
  validation {
    condition     = length([for it in [var.database != null, var.dynamodb, contains(var.secrets, "DATABASE_URL")] : it if it]) == 1
    error_message = "there must be one database: database, dynamodb, or DATABASE_URL among the secrets."
  }
}

variable "redis" {
  description = "Redis: type and number of nodes."
  type        = object({ type = string, nodes = number, token_version = optional(number, 1) })
}

variable "secrets" {
  description = "Settings whose values are put into Secrets Manager by hand, such as MAIL_URL."
  type        = set(string)
  default     = []
  validation {
    condition     = contains(var.secrets, "MAIL_URL") || var.environment != "prod"
    error_message = "prod needs MAIL_URL among the secrets: production refuses to only log mail."
  }
}

variable "mail_identities" {
  description = "Identities of SES (domains, addresses) as which mail may be sent, with MAIL_URL = ses://REGION."
  type        = set(string)
  default     = []
}

variable "rotation" {
  description = "Functions (Lambda) that change secrets by themselves, by setting, and after how many days."
  type        = map(object({ function_arn = string, days = number }))
  default     = {}
}

variable "settings" {
  description = "Further settings of the binary, by their names in the environment."
  type        = map(string)
  default     = {}
}

variable "green" {
  description = "A second set of API tasks behind the green target group, for a canary or a switch: how much traffic it gets, in percent, fewest and most of them. Null: there is none."
  type        = object({ percent = number, min = number, max = number })
  default     = null
  validation {
    condition     = var.green == null || try(var.green.percent >= 0 && var.green.percent <= 100 && var.green.min >= 1 && var.green.max >= var.green.min, false)
    error_message = "green must have a percent from 0 to 100, min of at least 1, and max from min on."
  }
}

variable "alarm_emails" {
  description = "Who is told of alarms and of the budget."
  type        = set(string)
  default     = []
}

variable "monthly_usd" {
  description = "The budget of a month."
  type        = number
}

variable "off_hours" {
  description = "When work begins and ends on weekdays; nights and weekends are off. Null: always on."
  type        = object({ begin = number, end = number, time_zone = string })
  default     = null
  validation {
    condition     = var.off_hours == null || !try(var.database.replica, false)
    error_message = "off_hours stops the database, which RDS refuses while it has a replica: set database.replica to false."
  }
}

variable "audit" {
  description = "Whether this stack records the account with CloudTrail and Config; one stack of an account does."
  type        = bool
  default     = true
}
