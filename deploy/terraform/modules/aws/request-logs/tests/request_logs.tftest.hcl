provider "aws" {
  region = "us-east-1"
}

variables {
  name = "outrigger-test-123456789012-requests"
}

run "written_by_balancers" {
  command = apply
  assert {
    condition     = output.name == var.name && strcontains(data.aws_iam_policy_document.this.json, "logdelivery.elasticloadbalancing.amazonaws.com")
    error_message = "load balancers write to it"
  }
}

run "wrong_input" {
  command = plan
  variables {
    days = 0
  }
  expect_failures = [var.days]
}
