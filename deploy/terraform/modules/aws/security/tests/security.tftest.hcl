provider "aws" {
  region = "us-east-1"
}

variables {
  name   = "outrigger-test"
  vpc_id = "vpc-0123456789abcdef0"
}

run "who_may_reach_whom" {
  command = apply
  assert {
    condition     = toset([for r in aws_vpc_security_group_ingress_rule.clients : r.from_port]) == toset([80, 443]) && alltrue([for r in aws_vpc_security_group_ingress_rule.clients : r.security_group_id == aws_security_group.this["load-balancer"].id])
    error_message = "the internet reaches 80 and 443 of the load balancer and nothing else"
  }
  assert {
    condition = tomap({ for key, r in aws_vpc_security_group_ingress_rule.inside : key => "${r.referenced_security_group_id}>${r.security_group_id}:${r.from_port}-${r.to_port}" }) == tomap({
      service-load-balancer = "${output.load_balancer_id}>${output.service_id}:8000-8000"
      postgres-service      = "${output.service_id}>${output.postgres_id}:5432-5432"
      redis-service         = "${output.service_id}>${output.redis_id}:6379-6379"
    })
    error_message = "load balancer -> service -> PostgreSQL and Redis, each on its port"
  }
  assert {
    condition     = alltrue([for r in concat(values(aws_vpc_security_group_egress_rule.inside), values(aws_vpc_security_group_egress_rule.outside)) : !contains([output.postgres_id, output.redis_id], r.security_group_id)])
    error_message = "databases open no connections"
  }
  assert {
    condition     = [for r in aws_vpc_security_group_egress_rule.inside : r.referenced_security_group_id if r.security_group_id == output.load_balancer_id] == [output.service_id]
    error_message = "the load balancer reaches only the service"
  }
}

run "wrong_input" {
  command = plan
  variables {
    service_port = 80
    clients      = ["everybody"]
  }
  expect_failures = [var.service_port, var.clients]
}
