output "bucket" {
  description = "Where it is kept."
  value       = module.bucket.name
}
