output "arn" {
  description = "The load balancer."
  value       = aws_lb.this.arn
}

output "arn_suffix" {
  description = "What metrics call it."
  value       = aws_lb.this.arn_suffix
}

output "dns_name" {
  description = "Its name."
  value       = aws_lb.this.dns_name
}

output "zone_id" {
  description = "The zone of its name, for alias records."
  value       = aws_lb.this.zone_id
}

output "target_groups" {
  description = "ARN and metric name of the blue and the green target group, once a listener uses them."
  value       = { for colour, group in aws_lb_target_group.this : colour => { arn = group.arn, suffix = group.arn_suffix } }
  depends_on  = [aws_lb_listener.http, aws_lb_listener.https]
}
