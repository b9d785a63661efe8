data "aws_caller_identity" "current" {}

module "state" {
  source      = "../../modules/aws/state"
  bucket_name = "outrigger-state-${data.aws_caller_identity.current.account_id}-${var.region}"
}

# Roles are of the account, not of a region: where there are none, there is only the bucket.
module "ci_role" {
  source           = "../../modules/aws/ci-role"
  count            = length(var.environments) > 0 ? 1 : 0
  name             = "outrigger-ci"
  repository       = var.repository
  environments     = var.environments
  push_environment = var.push_environment
  source_arns      = var.image_source_arns
  deployments      = [for environment in var.environments : "outrigger-${environment}"]
  state            = { bucket_arn = module.state.bucket.arn, kms_key_arn = module.state.kms_key_arn }
}
