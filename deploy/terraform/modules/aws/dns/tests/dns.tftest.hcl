provider "aws" {
  region = "us-east-1"
}

variables {
  domain        = "api.example.com"
  zone_id       = "Z0123456789ABCDEFGHIJ"
  load_balancer = { dns_name = "lb-1.us-east-1.elb.amazonaws.com", zone_id = "Z35SXDOTRQ7X7K" }
}

run "proved_by_records" {
  command = apply
  assert {
    condition     = aws_acm_certificate.this.validation_method == "DNS" && length(aws_route53_record.proof) == 1 && length(aws_acm_certificate_validation.this.validation_record_fqdns) == 1
    error_message = "the certificate is proved by a record"
  }
  assert {
    condition     = toset([for r in aws_route53_record.this : r.type]) == toset(["A", "AAAA"]) && alltrue([for r in aws_route53_record.this : r.alias[0].name == var.load_balancer.dns_name])
    error_message = "the name leads to the load balancer"
  }
}

run "wrong_input" {
  command = plan
  variables {
    domain  = "https://api.example.com"
    zone_id = "example.com"
  }
  expect_failures = [var.domain, var.zone_id]
}
