provider "aws" {
  region = "us-east-1"
}

variables {
  name                = "outrigger-test"
  environment         = "prod"
  vpc_id              = "vpc-0123456789abcdef0"
  subnet_ids          = ["subnet-1", "subnet-2", "subnet-3"]
  security_group_id   = "sg-1"
  certificate_arn     = "arn:aws:acm:us-east-1:123456789012:certificate/1"
  has_certificate     = true
  deletion_protection = true
  log_bucket_name     = "outrigger-test-123456789012-lb"
}

run "tls_with_a_certificate" {
  command = apply
  variables {
    green_percent = 10
  }
  assert {
    condition     = !aws_lb.this.internal && length(aws_lb.this.subnets) == 3 && aws_lb.this.enable_deletion_protection && aws_lb.this.access_logs[0].enabled
    error_message = "it faces the internet in all zones, is protected and logs"
  }
  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].port == "443"
    error_message = "80 leads to 443"
  }
  assert {
    condition     = aws_lb_listener.https[0].port == 443 && strcontains(aws_lb_listener.https[0].ssl_policy, "TLS13-1-2")
    error_message = "443 takes TLS 1.2 and later"
  }
  assert {
    condition     = { for group in aws_lb_listener.https[0].default_action[0].forward[0].target_group : group.arn => group.weight } == { (aws_lb_target_group.this["blue"].arn) = 90, (aws_lb_target_group.this["green"].arn) = 10 }
    error_message = "a tenth goes to the green group"
  }
  assert {
    condition     = alltrue([for group in aws_lb_target_group.this : group.target_type == "ip" && group.health_check[0].path == "/health"])
    error_message = "targets are addresses, asked for /health"
  }
}

run "plain_without_one" {
  command = plan
  variables {
    environment         = "dev"
    certificate_arn     = null
    has_certificate     = false
    deletion_protection = false
  }
  assert {
    condition     = aws_lb_listener.http.default_action[0].type == "forward" && length(aws_lb_listener.https) == 0
    error_message = "80 is served"
  }
}

run "wrong_input" {
  command = plan
  variables {
    has_certificate     = false
    deletion_protection = false
    green_percent       = 101
    subnet_ids          = ["subnet-1"]
  }
  expect_failures = [var.has_certificate, var.deletion_protection, var.green_percent, var.subnet_ids]
}
