locals {
  # In the region of the database.
  here = length(var.subnet_ids) == 0
}

resource "aws_db_subnet_group" "this" {
  count      = local.here ? 0 : 1
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_instance" "this" {
  identifier                      = var.name
  replicate_source_db             = var.promoted ? null : var.database
  multi_az                        = var.multi_az
  backup_retention_period         = local.here ? 0 : 7
  instance_class                  = var.instance_class
  ca_cert_identifier              = "rds-ca-rsa2048-g1"
  db_subnet_group_name            = one(aws_db_subnet_group.this[*].name)
  vpc_security_group_ids          = [var.security_group_id]
  publicly_accessible             = false
  storage_encrypted               = true
  kms_key_id                      = local.here ? null : var.kms_key_arn
  auto_minor_version_upgrade      = true
  copy_tags_to_snapshot           = true
  deletion_protection             = var.deletion_protection
  skip_final_snapshot             = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
}

# The same sign-in at another address.
ephemeral "aws_secretsmanager_secret_version" "primary" {
  count     = local.here ? 1 : 0
  secret_id = var.password_secret_arn
}

resource "aws_secretsmanager_secret" "url" {
  count                   = local.here ? 1 : 0
  name                    = "${var.name}/DATABASE_READONLY_URL"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "url" {
  count                    = local.here ? 1 : 0
  secret_id                = aws_secretsmanager_secret.url[0].id
  secret_string_wo         = replace(ephemeral.aws_secretsmanager_secret_version.primary[0].secret_string, "/@[^/]+/", "@${aws_db_instance.this.endpoint}")
  secret_string_wo_version = var.url_version
}
