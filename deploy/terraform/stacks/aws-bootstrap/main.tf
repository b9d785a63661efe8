data "aws_caller_identity" "current" {}

module "state" {
  source      = "../../modules/aws/state"
  bucket_name = "outrigger-state-${data.aws_caller_identity.current.account_id}"
}

module "ci_role" {
  source       = "../../modules/aws/ci-role"
  name         = "outrigger-ci"
  repository   = var.repository
  environments = var.environments
  deployments  = [for environment in var.environments : "outrigger-${environment}"]
  state        = { bucket_arn = module.state.bucket.arn, kms_key_arn = module.state.kms_key_arn }
}
