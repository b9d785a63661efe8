module "key" {
  source = "../key"
  name   = "${var.name}-backup-copy"
}

resource "aws_db_instance_automated_backups_replication" "this" {
  source_db_instance_arn = var.source_arn
  kms_key_id             = module.key.arn
  retention_period       = var.days
}
