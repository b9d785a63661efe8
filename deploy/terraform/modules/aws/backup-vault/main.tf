module "key" {
  source = "../key"
  name   = "${var.name}-backups"
}

resource "aws_backup_vault" "this" {
  name          = var.name
  kms_key_arn   = module.key.arn
  force_destroy = var.disposable
}
