variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "environment" {
  description = "Such as dev or prod."
  type        = string
}

variable "account_id" {
  description = "The account, which makes names of buckets unique."
  type        = string
}

variable "subnet_ids" {
  description = "Data subnets."
  type        = list(string)
}

variable "security_group_ids" {
  description = "The groups of PostgreSQL and Redis."
  type        = object({ postgres = string, redis = string })
}

variable "kms_key_arn" {
  description = "The key of everything that has no key of its own."
  type        = string
}

variable "deletion_protection" {
  description = "Whether deleting is refused."
  type        = bool
}

variable "database" {
  description = "PostgreSQL, or with replica_of (an ARN in another region) what follows it until it is promoted; null: it is elsewhere, such as in Atlas, and DATABASE_URL is a provided secret."
  type        = object({ class = string, storage_gib = optional(number, 20), multi_az = bool, replica = optional(bool, false), replica_of = optional(string), promoted = optional(bool, false), password_version = optional(number, 1) })
}

variable "redis" {
  description = "Size and number of Redis' nodes."
  type        = object({ type = string, nodes = number, token_version = optional(number, 1) })
}

variable "secrets" {
  description = "Settings whose values people give."
  type        = set(string)
}

variable "rotation" {
  description = "Functions (Lambda) that change these secrets, and after how many days."
  type        = map(object({ function_arn = string, days = number }))
  default     = {}
}

variable "cors_origins" {
  description = "Origins whose pages read and write files by signed URLs."
  type        = list(string)
  default     = []
}

variable "dynamodb" {
  description = "Whether there is a DynamoDB table, of the same name."
  type        = bool
  default     = false
}

variable "mail_identities" {
  description = "Identities of SES (domains, addresses) as which processes may send mail."
  type        = set(string)
  default     = []
}
