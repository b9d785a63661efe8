variable "name" {
  description = "Prefix of all names."
  type        = string
}

variable "kms_key_arn" {
  description = "The key that encrypts them."
  type        = string
}

variable "generated" {
  description = "Settings with random values, with the number of the value: another makes another value."
  type        = map(number)
  default     = { OUTRIGGER_SECRET = 1 }
}

variable "provided" {
  description = "Settings whose values people give: mail, signing keys, keys of other APIs."
  type        = set(string)
  default     = []
  validation {
    condition     = length(setintersection(var.provided, keys(var.generated))) == 0
    error_message = "provided and generated must not name the same settings."
  }
}

variable "rotation" {
  description = "Functions (Lambda) that change secrets, and after how many days."
  type        = map(object({ function_arn = string, days = number }))
  default     = {}
  validation {
    condition     = alltrue([for key, hook in var.rotation : contains(concat(keys(var.generated), tolist(var.provided)), key) && hook.days >= 1])
    error_message = "rotation must name secrets of this module, with days of at least 1."
  }
}

variable "protected" {
  description = "Whether deleted secrets can be brought back for 30 days."
  type        = bool
}
