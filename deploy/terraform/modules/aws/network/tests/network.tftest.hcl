provider "aws" {
  region = "ap-southeast-1"
}

variables {
  name        = "outrigger-test"
  kms_key_arn = "arn:aws:kms:ap-southeast-1:123456789012:key/1"
}

run "over_all_zones" {
  command = apply
  assert {
    condition     = alltrue([for tier in ["public", "private", "data"] : length(distinct([for key, s in aws_subnet.this : s.availability_zone if startswith(key, tier)])) == 3])
    error_message = "each tier has a subnet in each zone"
  }
  assert {
    condition     = length(distinct([for s in aws_subnet.this : s.cidr_block])) == 9
    error_message = "no two subnets have the same addresses"
  }
  assert {
    condition     = alltrue([for s in aws_subnet.this : !s.map_public_ip_on_launch])
    error_message = "nothing gets a public address by itself"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(distinct([for r in aws_route.nat : r.nat_gateway_id])) == 3
    error_message = "each zone has its own NAT"
  }
  assert {
    condition     = !contains(concat([for r in aws_route.nat : r.route_table_id], [aws_route.out.route_table_id]), aws_route_table.data.id)
    error_message = "no route leads out of the data subnets"
  }
  assert {
    condition     = toset(module.acl.data_ingress) == toset([{ range = "10.0.0.0/16", port = 5432 }, { range = "10.0.0.0/16", port = 6379 }])
    error_message = "only the databases' ports are open in the data subnets, and only from within"
  }
  assert {
    condition     = module.acl.private_ingress == ["10.0.0.0/16"]
    error_message = "what runs in the private subnets may speak any protocol among itself: names are asked for by UDP"
  }
  assert {
    condition     = toset(keys(module.endpoints.interface)) == toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"]) && toset(keys(module.endpoints.gateway)) == toset(["s3", "dynamodb"])
    error_message = "ECR, S3, Logs, Secrets Manager and DynamoDB are reached without NAT"
  }
  assert {
    condition     = module.endpoints.gateway["s3"] == "com.amazonaws.ap-southeast-1.s3"
    error_message = "endpoints are of the region"
  }
  assert {
    condition     = module.flow_logs.logged == { traffic = "ALL", days = 365 }
    error_message = "all traffic is logged, for a year"
  }
}

run "one_nat_in_two_zones" {
  command = plan
  variables {
    zone_count = 2
    nat        = "one"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2
    error_message = "both zones go out through one gateway"
  }
}

run "wrong_input" {
  command = plan
  variables {
    zone_count = 4
    cidr       = "10.0.0.0/24"
    nat        = "two"
    name       = "Out Rigger"
  }
  expect_failures = [var.zone_count, var.cidr, var.nat, var.name]
}
