module "key" {
  source = "../key"
  name   = var.bucket_name
}

module "bucket" {
  source           = "../bucket"
  name             = var.bucket_name
  kms_key_arn      = module.key.arn
  old_version_days = 365
}
