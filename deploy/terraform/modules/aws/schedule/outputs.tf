output "times" {
  description = "When what happens."
  value       = local.times
}
