provider "aws" {
  region = "us-east-1"
}

variables {
  name         = "outrigger-ci"
  repository   = "outrigger-rs/outrigger"
  deployments  = ["outrigger-prod"]
  environments = ["prod"]
  state        = { bucket_arn = "arn:aws:s3:::state", kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1" }
}

run "only_this_repository" {
  command = apply
  assert {
    condition     = strcontains(aws_iam_role.this["deploy"].assume_role_policy, "\"repo:outrigger-rs/outrigger:environment:prod\"") && strcontains(aws_iam_role.this["plan"].assume_role_policy, "\"repo:outrigger-rs/outrigger:environment:plan-prod\"")
    error_message = "a job of the environment takes the role, and no other"
  }
  assert {
    condition     = !strcontains(aws_iam_role.this["deploy"].assume_role_policy, "StringLike")
    error_message = "nothing is matched by pattern"
  }
  assert {
    condition     = toset(flatten([for s in jsondecode(aws_iam_role_policy.this["deploy"].policy).Statement : s.Action if s.Resource == "*"])) == toset(["ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"])
    error_message = "only what knows no resources is allowed on all"
  }
}

run "wrong_input" {
  command = plan
  variables {
    repository  = "https://github.com/outrigger-rs/outrigger"
    deployments = ["*"]
  }
  expect_failures = [var.repository, var.deployments]
}
