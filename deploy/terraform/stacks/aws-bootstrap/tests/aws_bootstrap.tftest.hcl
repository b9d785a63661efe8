variables {
  region       = "us-east-1"
  repository   = "outrigger-rs/outrigger"
  environments = ["prod"]

  push_environment = "registry"
}

run "state_and_roles" {
  command = apply
  assert {
    condition     = output.state_bucket == "outrigger-state-123456789012-us-east-1" && toset(keys(output.role_arns)) == toset(["plan", "deploy", "push"])
    error_message = "there is a bucket and a role for each purpose"
  }
}

run "another_region" {
  command   = apply
  state_key = "another_region"
  variables {
    region       = "us-west-2"
    environments = []
  }
  assert {
    condition     = output.state_bucket == "outrigger-state-123456789012-us-west-2" && output.role_arns == null
    error_message = "there is only a bucket"
  }
}

run "wrong_input" {
  command = plan
  variables {
    region       = "mars"
    environments = ["*"]
  }
  expect_failures = [var.region, var.environments]
}
