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

run "a_plan_opens_what_terraform_made" {
  command = apply
  assert {
    condition = { for s in jsondecode(aws_iam_role_policy.this["plan"].policy).Statement : s.Sid => s.Action } == {
      State       = ["s3:ListBucket", "s3:GetObject"], StateKey = "kms:Decrypt", NewPasswords = "secretsmanager:GetRandomPassword"
      SecretsKeys = "kms:Decrypt", Secrets = "secretsmanager:GetSecretValue"
    }
    error_message = "it reads the state, and what a plan opens"
  }
  assert {
    condition = toset([for s in jsondecode(aws_iam_role_policy.this["plan"].policy).Statement : s.Resource if s.Sid == "Secrets"][0]) == toset([for path in [
      "outrigger-prod/DATABASE_PASSWORD", "outrigger-prod/DATABASE_URL", "outrigger-prod-replica/DATABASE_READONLY_URL",
      "outrigger-prod/REDIS_TOKEN", "outrigger-prod/REDIS_URL", "outrigger-prod/OUTRIGGER_SECRET",
    ] : "arn:aws:secretsmanager:*:123456789012:secret:${path}-??????"])
    error_message = "no secret that people put in can be read"
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this["plan"].policy).Statement : keys(s.Condition.StringLike) if s.Sid == "SecretsKeys"] == [["kms:EncryptionContext:SecretARN", "kms:ViaService"]]
    error_message = "the keys open these secrets, and nothing else"
  }
}

run "images_are_pushed_by_a_role_of_their_own" {
  command   = apply
  state_key = "push"
  variables {
    push_environment = "registry"
    source_arns      = ["arn:aws:ecr:us-east-1:210987654321:repository/outrigger-prod"]
  }
  assert {
    condition     = strcontains(aws_iam_role.this["push"].assume_role_policy, "\"repo:outrigger-rs/outrigger:environment:registry\"") && !strcontains(aws_iam_role.this["deploy"].assume_role_policy, "registry")
    error_message = "the environment that pushes takes it, and no other role"
  }
  assert {
    condition     = toset([for s in jsondecode(aws_iam_role_policy.this["push"].policy).Statement : s.Sid]) == toset(["SignIn", "Push"])
    error_message = "it can do nothing but push"
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this["deploy"].policy).Statement : s.Resource if s.Sid == "Bring"] == ["arn:aws:ecr:us-east-1:210987654321:repository/outrigger-prod"]
    error_message = "a roll-out reads where images are pushed"
  }
}

run "wrong_input" {
  command = plan
  variables {
    repository  = "https://github.com/outrigger-rs/outrigger"
    deployments = ["*"]
    source_arns = ["outrigger-prod"]
  }
  expect_failures = [var.repository, var.deployments, var.source_arns]
}
