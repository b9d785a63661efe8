locals {
  read = "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"
  # Who runs where, and what it may do: an own policy, or one that AWS keeps.
  identities = merge({
    load-balancer-controller = { namespace = "kube-system", account = "aws-load-balancer-controller", policy = templatefile("${path.module}/policies/load-balancer-controller.json", { cluster = var.name }) }
    cluster-autoscaler       = { namespace = "kube-system", account = "cluster-autoscaler", policy = data.aws_iam_policy_document.autoscaler.json }
    external-secrets         = { namespace = "external-secrets", account = "external-secrets", policy = data.aws_iam_policy_document.secrets.json }
    observability            = { namespace = "amazon-cloudwatch", account = "cloudwatch-agent", policy = null }
  }, { for account, policy in var.application_policies : account => { namespace = "outrigger", account = account, policy = policy } })
}

data "aws_iam_policy_document" "trust" {
  for_each = local.identities
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
  }
  # By the token of the service account too (IRSA), where an annotation names the role.
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [var.oidc_provider.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "${var.oidc_provider.issuer}:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "${var.oidc_provider.issuer}:sub"
      values   = ["system:serviceaccount:${each.value.namespace}:${each.value.account}"]
    }
  }
}

data "aws_iam_policy_document" "secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = var.secret_arns
  }
  statement {
    actions   = ["kms:Decrypt"]
    resources = var.kms_key_arns
  }
}

data "aws_iam_policy_document" "autoscaler" {
  # These know no resources.
  statement {
    sid = "Look"
    actions = [
      "autoscaling:DescribeAutoScalingGroups", "autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeLaunchConfigurations",
      "autoscaling:DescribeScalingActivities", "ec2:DescribeImages", "ec2:DescribeInstanceTypes", "ec2:DescribeLaunchTemplateVersions",
      "ec2:GetInstanceTypesFromInstanceRequirements", "eks:DescribeNodegroup",
    ]
    resources = ["*"]
  }
  statement {
    sid       = "Scale"
    actions   = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/k8s.io/cluster-autoscaler/${var.name}"
      values   = ["owned"]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each           = local.identities
  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
}

resource "aws_iam_role_policy" "this" {
  for_each = { for key, identity in local.identities : key => identity.policy if key != "observability" }
  name     = "needed"
  role     = aws_iam_role.this[each.key].id
  policy   = each.value
}

resource "aws_iam_role_policy_attachment" "observability" {
  role       = aws_iam_role.this["observability"].name
  policy_arn = local.read
}

resource "aws_eks_pod_identity_association" "this" {
  for_each        = local.identities
  cluster_name    = var.name
  namespace       = each.value.namespace
  service_account = each.value.account
  role_arn        = aws_iam_role.this[each.key].arn
}
