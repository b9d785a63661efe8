provider "aws" {
  region = "us-east-1"
}

variables {
  name        = "outrigger-test"
  monthly_usd = 150
  topic_arn   = "arn:aws:sns:us-east-1:123456789012:t"
}

run "speaks_up" {
  command = plan
  variables {
    tags = { Environment = "test" }
  }
  assert {
    condition     = aws_budgets_budget.this.limit_amount == "150.00" && toset([for n in aws_budgets_budget.this.notification : "${n.notification_type} ${n.threshold}"]) == toset(["ACTUAL 80", "ACTUAL 100", "FORECASTED 100"])
    error_message = "at 80 and 100 percent, and when it will be reached"
  }
  assert {
    condition     = one(aws_budgets_budget.this.cost_filter).values == tolist(["user:Environment$test"])
    error_message = "it counts this environment"
  }
}

run "wrong_input" {
  command = plan
  variables {
    monthly_usd = 0
  }
  expect_failures = [var.monthly_usd]
}
