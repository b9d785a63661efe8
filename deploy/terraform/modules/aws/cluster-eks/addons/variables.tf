variable "cluster_name" {
  description = "The cluster."
  type        = string
}

variable "metrics_log_group" {
  description = "The log group of the lines in which processes tell of their metrics."
  type        = string
}
