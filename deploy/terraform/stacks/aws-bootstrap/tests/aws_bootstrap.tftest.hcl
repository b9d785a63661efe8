run "state_and_roles" {
  command = apply
  variables {
    region       = "us-east-1"
    repository   = "outrigger-rs/outrigger"
    environments = ["prod"]
  }
  assert {
    condition     = output.state_bucket == "outrigger-state-123456789012" && toset(keys(output.role_arns)) == toset(["plan", "deploy"])
    error_message = "there is a bucket and a role for each purpose"
  }
}
