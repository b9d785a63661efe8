locals {
  # A database of its own, or one that follows another region's until it is promoted; else it is elsewhere.
  is_own     = var.database != null && try(var.database.replica_of, null) == null
  is_standby = var.database != null && !local.is_own

  secrets      = merge(concat([module.redis.secrets, module.secrets.secrets], module.postgres[*].secrets, module.replica[*].secrets)...)
  kms_key_arns = concat([var.kms_key_arn], module.postgres[*].kms_key_arn)
}

module "postgres" {
  source              = "../postgres"
  count               = local.is_own ? 1 : 0
  name                = var.name
  environment         = var.environment
  subnet_ids          = var.subnet_ids
  security_group_id   = var.security_group_ids.postgres
  instance_class      = var.database.class
  storage_gib         = { first = var.database.storage_gib, most = 10 * var.database.storage_gib }
  multi_az            = var.database.multi_az
  password_version    = var.database.password_version
  log_kms_key_arn     = var.kms_key_arn
  deletion_protection = var.deletion_protection
}

module "replica" {
  source              = "../postgres-replica"
  count               = local.is_own && try(var.database.replica, false) ? 1 : 0
  name                = "${var.name}-replica"
  database            = module.postgres[0].instance.id
  instance_class      = var.database.class
  security_group_id   = var.security_group_ids.postgres
  kms_key_arn         = module.postgres[0].kms_key_arn
  deletion_protection = var.deletion_protection
  password_secret_arn = module.postgres[0].secrets["DATABASE_URL"]
  url_version         = var.database.password_version
}

module "standby" {
  source              = "../postgres-replica"
  count               = local.is_standby ? 1 : 0
  name                = var.name
  database            = var.database.replica_of
  promoted            = var.database.promoted
  multi_az            = var.database.multi_az
  instance_class      = var.database.class
  security_group_id   = var.security_group_ids.postgres
  subnet_ids          = var.subnet_ids
  kms_key_arn         = var.kms_key_arn
  deletion_protection = var.deletion_protection
}

module "redis" {
  source            = "../redis"
  name              = var.name
  environment       = var.environment
  subnet_ids        = var.subnet_ids
  security_group_id = var.security_group_ids.redis
  node_type         = var.redis.type
  nodes             = var.redis.nodes
  token_version     = var.redis.token_version
  kms_key_arn       = var.kms_key_arn
  protected         = var.deletion_protection
}

# A standby has the sign-in and the signing keys of the database that it follows: people bring both.
module "secrets" {
  source      = "../secrets"
  name        = var.name
  kms_key_arn = var.kms_key_arn
  generated   = local.is_standby ? {} : { OUTRIGGER_SECRET = 1 }
  provided    = setunion(var.secrets, local.is_standby ? ["DATABASE_URL", "OUTRIGGER_SECRET"] : [])
  rotation    = var.rotation
  protected   = var.deletion_protection
}

module "blobs" {
  source       = "../blobs"
  name         = "${var.name}-${var.account_id}-blobs"
  disposable   = !var.deletion_protection
  cors_origins = var.cors_origins
}

module "dynamodb" {
  source              = "../dynamodb"
  count               = var.dynamodb ? 1 : 0
  name                = var.name
  deletion_protection = var.deletion_protection
}

# What the process itself may do: use files and perhaps a table, send mail as these, and read its own
# secrets, for settings that refer to them (aws-sm://).
data "aws_iam_policy_document" "use" {
  source_policy_documents = concat([module.blobs.policy], module.dynamodb[*].policy)
  statement {
    sid       = "Secrets"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = values(local.secrets)
  }
  statement {
    sid       = "SecretKeys"
    actions   = ["kms:Decrypt"]
    resources = local.kms_key_arns
  }
  dynamic "statement" {
    for_each = length(var.mail_identities) > 0 ? [1] : []
    content {
      sid       = "Mail"
      actions   = ["ses:SendEmail", "ses:SendRawEmail"]
      resources = [for identity in var.mail_identities : "arn:aws:ses:*:${var.account_id}:identity/${identity}"]
    }
  }
  # It knows no resources.
  dynamic "statement" {
    for_each = length(var.mail_identities) > 0 ? [1] : []
    content {
      sid       = "MailAccount"
      actions   = ["ses:GetAccount"]
      resources = ["*"]
    }
  }
}
