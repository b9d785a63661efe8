data "aws_caller_identity" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  host    = "token.actions.githubusercontent.com"
  subjects = merge({
    plan   = [for environment in var.environments : "repo:${var.repository}:environment:plan-${environment}"]
    deploy = [for environment in var.environments : "repo:${var.repository}:environment:${environment}"]
  }, { for environment in var.push_environment[*] : "push" => ["repo:${var.repository}:environment:${environment}"] })

  policies     = { for key in keys(local.subjects) : key => key == "plan" ? data.aws_iam_policy_document.plan.json : key == "push" ? data.aws_iam_policy_document.push.json : data.aws_iam_policy_document.deploy.json }
  repositories = [for name in var.deployments : "arn:aws:ecr:*:${local.account}:repository/${name}"]
  # The secrets whose values Terraform makes. A plan reads each of them again, and nothing that people put in;
  # Secrets Manager ends its ARN with a hyphen and six characters.
  secrets = flatten([for name in var.deployments : [for path in [
    "${name}/DATABASE_PASSWORD", "${name}/DATABASE_URL", "${name}-replica/DATABASE_READONLY_URL",
    "${name}/REDIS_TOKEN", "${name}/REDIS_URL", "${name}/OUTRIGGER_SECRET",
  ] : "arn:aws:secretsmanager:*:${local.account}:secret:${path}-??????"]])
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://${local.host}"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "trust" {
  for_each = local.subjects
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.host}:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "${local.host}:sub"
      values   = each.value
    }
  }
}

data "aws_iam_policy_document" "plan" {
  statement {
    sid       = "State"
    actions   = ["s3:GetObject", "s3:ListBucket"]
    resources = [var.state.bucket_arn, "${var.state.bucket_arn}/*"]
  }
  statement {
    sid       = "StateKey"
    actions   = ["kms:Decrypt"]
    resources = [var.state.kms_key_arn]
  }
  # It knows no resources, and gives what nobody has yet.
  statement {
    sid       = "NewPasswords"
    actions   = ["secretsmanager:GetRandomPassword"]
    resources = ["*"]
  }
  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = local.secrets
  }
  # With the keys of these secrets it opens them, and nothing else that the keys close.
  statement {
    sid       = "SecretsKeys"
    actions   = ["kms:Decrypt"]
    resources = ["arn:aws:kms:*:${local.account}:key/*"]
    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values   = ["secretsmanager.*.amazonaws.com"]
    }
    condition {
      test     = "StringLike"
      variable = "kms:EncryptionContext:SecretARN"
      values   = local.secrets
    }
  }
}

data "aws_iam_policy_document" "push" {
  statement {
    sid       = "SignIn"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
  statement {
    sid = "Push"
    actions = [
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
    ]
    resources = local.repositories
  }
}

# A roll-out brings the image into its own registry, from the one that it was pushed to.
data "aws_iam_policy_document" "deploy" {
  source_policy_documents = [data.aws_iam_policy_document.push.json]
  dynamic "statement" {
    for_each = length(var.source_arns) > 0 ? [1] : []
    content {
      sid       = "Bring"
      actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      resources = var.source_arns
    }
  }
  # These know no resources.
  statement {
    sid       = "Definitions"
    actions   = ["ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"]
    resources = ["*"]
  }
  statement {
    sid     = "RollOut"
    actions = ["ecs:DescribeServices", "ecs:DescribeTasks", "ecs:RunTask", "ecs:UpdateService"]
    resources = flatten([for name in var.deployments : [
      "arn:aws:ecs:*:${local.account}:service/${name}/*",
      "arn:aws:ecs:*:${local.account}:task/${name}/*",
      "arn:aws:ecs:*:${local.account}:task-definition/${name}-migrate:*",
    ]])
  }
  # What it may do in a cluster of Kubernetes stands there.
  statement {
    sid       = "Clusters"
    actions   = ["eks:DescribeCluster"]
    resources = [for name in var.deployments : "arn:aws:eks:*:${local.account}:cluster/${name}"]
  }
  statement {
    sid       = "Pass"
    actions   = ["iam:PassRole"]
    resources = flatten([for name in var.deployments : ["arn:aws:iam::${local.account}:role/${name}-execution", "arn:aws:iam::${local.account}:role/${name}-task"]])
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each             = local.subjects
  name                 = "${var.name}-${each.key}"
  assume_role_policy   = data.aws_iam_policy_document.trust[each.key].json
  max_session_duration = 3600
}

resource "aws_iam_role_policy" "this" {
  for_each = local.policies
  name     = "needed"
  role     = aws_iam_role.this[each.key].id
  policy   = each.value
}

resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.this["plan"].name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}
