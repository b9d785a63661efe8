variable "bucket_name" {
  description = "Name, unique in the world."
  type        = string
}
