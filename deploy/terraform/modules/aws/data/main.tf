locals {
  # A database of its own, or one that follows another region's until it is promoted; else it is elsewhere.
  is_own     = var.database != null && try(var.database.replica_of, null) == null
  is_standby = var.database != null && !local.is_own
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
