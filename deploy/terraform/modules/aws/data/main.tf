module "postgres" {
  source              = "../postgres"
  count               = var.database == null ? 0 : 1
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
  count               = try(var.database.replica, false) ? 1 : 0
  name                = "${var.name}-replica"
  source_arn          = module.postgres[0].arn
  instance_class      = var.database.class
  security_group_id   = var.security_group_ids.postgres
  kms_key_arn         = module.postgres[0].kms_key_arn
  deletion_protection = var.deletion_protection
  password_secret_arn = module.postgres[0].secrets["DATABASE_URL"]
  url_version         = var.database.password_version
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

module "secrets" {
  source      = "../secrets"
  name        = var.name
  kms_key_arn = var.kms_key_arn
  provided    = var.secrets
  protected   = var.deletion_protection
}

module "blobs" {
  source       = "../blobs"
  name         = "${var.name}-${var.account_id}-blobs"
  disposable   = !var.deletion_protection
  cors_origins = var.cors_origins
}
