variable "is_protected" {
  description = "Whether a plan that would destroy everything, or take this away, fails."
  type        = bool
}
