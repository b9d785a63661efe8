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
  description = "Name and hosted zone under which clients reach the deployment; null: the name of the load balancer, without TLS, which prod refuses."
  type        = object({ name = string, zone_id = string })
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

variable "architecture" {
  description = "ARM64 or X86_64."
  type        = string
  default     = "ARM64"
}

variable "cluster" {
  description = "Version of Kubernetes, groups of nodes, who may reach the endpoint from outside, and roles that administrate, look, or roll out."
  type = object({
    version        = optional(string, "1.33")
    nodes          = map(object({ types = list(string), min = number, max = number, spot = optional(bool, false) }))
    public_access  = optional(set(string), [])
    administrators = set(string)
    viewers        = optional(set(string), [])
    deployers      = optional(set(string), [])
  })
  validation {
    condition     = var.environment != "prod" || sum([for group in var.cluster.nodes : group.spot ? 0 : group.min]) >= 2
    error_message = "prod needs at least 2 nodes on demand, in different zones."
  }
}

variable "database" {
  description = "PostgreSQL: class, storage at first, standby in another zone, read replica, and how many connections the class takes. Null: it is DynamoDB, or elsewhere, and DATABASE_URL is among the secrets; on Atlas, network.outgoing_ports must have 27017."
  type        = object({ class = string, storage_gib = optional(number, 20), multi_az = bool, replica = optional(bool, false), password_version = optional(number, 1), connections_max = number })
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

variable "dynamodb" {
  description = "Whether a DynamoDB table is the database, for database = null; DATABASE_URL is the output settings."
  type        = bool
  default     = false
  validation {
    condition     = length([for it in [var.database != null, var.dynamodb, contains(var.secrets, "DATABASE_URL")] : it if it]) == 1
    error_message = "there must be one database: database, dynamodb, or DATABASE_URL among the secrets."
  }
}

variable "rotation" {
  description = "Functions (Lambda) that change secrets by themselves, by setting, and after how many days."
  type        = map(object({ function_arn = string, days = number }))
  default     = {}
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

variable "load_balancer" {
  description = "The load balancer that the Ingress made: as metrics call it, for alarms, and where the name leads to. Null until it is there."
  type        = object({ suffix = string, target_groups = map(string), dns_name = string, zone_id = string })
  default     = null
}
