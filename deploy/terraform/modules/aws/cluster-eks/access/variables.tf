variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "administrators" {
  description = "ARNs of roles that may do everything in the cluster."
  type        = set(string)
}

variable "viewers" {
  description = "ARNs of roles that may look."
  type        = set(string)
}

variable "deployers" {
  description = "ARNs of roles that may do what the cluster lets the group outrigger-deployers do."
  type        = set(string)
}
