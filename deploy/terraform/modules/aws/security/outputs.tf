output "load_balancer_id" {
  description = "The load balancer's group."
  value       = aws_security_group.this["load-balancer"].id
}

output "service_id" {
  description = "The group of API and workers."
  value       = aws_security_group.this["service"].id
}

output "postgres_id" {
  description = "PostgreSQL's group."
  value       = aws_security_group.this["postgres"].id
}

output "redis_id" {
  description = "Redis' group."
  value       = aws_security_group.this["redis"].id
}
