provider "aws" {
  region = "us-east-1"
}

variables {
  name          = "outrigger-test"
  oidc_provider = { arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/1", issuer = "oidc.example.com/id/1" }
  secret_arns   = ["arn:aws:secretsmanager:us-east-1:123456789012:secret:a"]
  kms_key_arns  = ["arn:aws:kms:us-east-1:123456789012:key/1"]
}

run "only_what_each_needs" {
  command = apply
  assert {
    condition = { for key, a in aws_eks_pod_identity_association.this : key => "${a.namespace}/${a.service_account}" } == {
      load-balancer-controller = "kube-system/aws-load-balancer-controller", cluster-autoscaler = "kube-system/cluster-autoscaler"
      external-secrets         = "external-secrets/external-secrets", observability = "amazon-cloudwatch/cloudwatch-agent"
    }
    error_message = "each part has a role under its service account, and the application none"
  }
  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_role_policy.this["external-secrets"].policy).Statement : s.Resource != "*"])
    error_message = "external-secrets reads the secrets of this deployment"
  }
  assert {
    condition     = alltrue([for s in concat(jsondecode(aws_iam_role_policy.this["load-balancer-controller"].policy).Statement, jsondecode(aws_iam_role_policy.this["cluster-autoscaler"].policy).Statement) : s.Sid == "Look" || can(s.Condition)])
    error_message = "controllers look at everything, and change only what is the cluster's"
  }
  # The controller gives its tags in the call that makes a thing, which needs the right to tag in that call.
  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.this["load-balancer-controller"].policy).Statement : toset(s.Condition.StringEquals["elasticloadbalancing:CreateAction"]) if s.Sid == "TagWhatIsMade"] == [
      toset([for action in flatten([for s in jsondecode(aws_iam_role_policy.this["load-balancer-controller"].policy).Statement : s.Action if s.Sid != "RoleOfTheServiceItself"]) : split(":", action)[1] if strcontains(action, ":Create")])
    ]
    error_message = "whatever it may make it may tag as it makes it"
  }
  assert {
    condition     = [for s in jsondecode(aws_iam_role_policy.this["load-balancer-controller"].policy).Statement : s.Condition.StringEquals if s.Action == "iam:CreateServiceLinkedRole"] == [{ "iam:AWSServiceName" = "elasticloadbalancing.amazonaws.com" }]
    error_message = "the first load balancer of an account needs the service's role"
  }
}

run "an_application_with_rights" {
  command = plan
  variables {
    application_policies = { api = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
  assert {
    condition     = aws_eks_pod_identity_association.this["api"].namespace == "outrigger" && aws_iam_role.this["api"].name == "outrigger-test-api"
    error_message = "its service account gets them"
  }
  assert {
    condition     = strcontains(aws_iam_role.this["api"].assume_role_policy, "\"system:serviceaccount:outrigger:api\"") && !strcontains(aws_iam_role.this["api"].assume_role_policy, "StringLike")
    error_message = "no other service account can take its role"
  }
}
