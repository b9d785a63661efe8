output "certificate_arn" {
  description = "The certificate, once it is proved."
  value       = aws_acm_certificate_validation.this.certificate_arn
}

output "names" {
  description = "Which names lead to the load balancer."
  value       = distinct([for record in aws_route53_record.this : record.name])
}
