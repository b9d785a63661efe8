output "bucket" {
  description = "The bucket."
  value       = { name = module.bucket.name, arn = module.bucket.arn }
}

output "kms_key_arn" {
  description = "Its key."
  value       = module.key.arn
}
