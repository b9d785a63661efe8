provider "aws" {
  region = "us-east-1"
}

run "as_the_store_wants_it" {
  command = apply
  variables {
    name = "outrigger-test"
  }
  assert {
    condition     = aws_dynamodb_table.this.hash_key == "pk" && aws_dynamodb_table.this.range_key == "sk" && one(aws_dynamodb_table.this.ttl).attribute_name == "ttl"
    error_message = "keys and time to live are those that the store uses"
  }
  assert {
    condition     = one(aws_dynamodb_table.this.point_in_time_recovery).enabled && aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "it can be brought back, and is not deleted by mistake"
  }
  assert {
    condition     = alltrue([for s in jsondecode(output.policy).Statement : !contains(flatten([s.Resource]), "*")])
    error_message = "the policy names the table and the key"
  }
  assert {
    condition     = !contains(flatten([for s in jsondecode(output.policy).Statement : s.Action]), "dynamodb:*") && output.name == var.name && output.arn == aws_dynamodb_table.this.arn
    error_message = "and only what a process does"
  }
}
