provider "aws" {
  region = "us-east-1"
}

variables {
  name = "outrigger-test"
}

run "rotates" {
  command = plan
  variables {
    services = ["logs.us-east-1.amazonaws.com"]
  }
  assert {
    condition     = aws_kms_key.this.enable_key_rotation && strcontains(aws_kms_key.this.policy, "logs.us-east-1.amazonaws.com")
    error_message = "it rotates, and the service may use it"
  }
}

run "wrong_input" {
  command = plan
  variables {
    services      = ["everybody"]
    deletion_days = 1
  }
  expect_failures = [var.services, var.deletion_days]
}
