output "name" {
  description = "The bucket, once a load balancer may write to it."
  value       = module.bucket.name
}
