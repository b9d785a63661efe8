data "aws_caller_identity" "current" {}

locals {
  name       = "outrigger-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id
}

module "guard" {
  source       = "../../modules/guard"
  is_protected = var.deletion_protection
}

module "key" {
  source   = "../../modules/aws/key"
  name     = local.name
  services = ["logs.${var.region}.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com", "budgets.amazonaws.com"]
}

module "network" {
  source       = "../../modules/aws/network"
  name         = local.name
  cidr         = var.network.cidr
  zone_count   = var.network.zones
  nat          = var.network.nat
  kms_key_arn  = module.key.arn
  cluster_name = local.name
}

module "security" {
  source         = "../../modules/aws/security"
  name           = local.name
  vpc_id         = module.network.vpc_id
  clients        = var.network.clients
  outgoing_ports = var.network.outgoing_ports
}

module "registry" {
  source             = "../../modules/aws/registry"
  name               = local.name
  kms_key_arn        = module.key.arn
  replica_regions    = var.recovery_region[*]
  reader_account_ids = var.registry_readers
  disposable         = !var.deletion_protection
}

module "dns" {
  source        = "../../modules/aws/dns"
  count         = var.domain == null ? 0 : 1
  domain        = var.domain.name
  zone_id       = var.domain.zone_id
  load_balancer = try(var.load_balancer.dns_name, null) == null ? null : { dns_name = var.load_balancer.dns_name, zone_id = var.load_balancer.zone_id }
}

module "data" {
  source              = "../../modules/aws/data"
  name                = local.name
  environment         = var.environment
  account_id          = local.account_id
  subnet_ids          = module.network.data_subnet_ids
  security_group_ids  = { postgres = module.security.postgres_id, redis = module.security.redis_id }
  kms_key_arn         = module.key.arn
  deletion_protection = var.deletion_protection
  database            = var.database
  redis               = var.redis
  secrets             = var.secrets
  rotation            = var.rotation
  dynamodb            = var.dynamodb
  mail_identities     = var.mail_identities
}

module "backup_copy" {
  source     = "../../modules/aws/postgres-backup-copy"
  count      = var.recovery_region != null && var.database != null ? 1 : 0
  providers  = { aws = aws.recovery }
  name       = local.name
  source_arn = module.data.database.arn
  days       = var.backup_copy.days
}

module "backup_copy_vault" {
  source     = "../../modules/aws/backup-vault"
  count      = var.recovery_region != null && var.dynamodb ? 1 : 0
  providers  = { aws = aws.recovery }
  name       = local.name
  disposable = !var.deletion_protection
}

module "dynamodb_backup_copy" {
  source         = "../../modules/aws/dynamodb-backup-copy"
  count          = var.recovery_region != null && var.dynamodb ? 1 : 0
  name           = local.name
  table_arn      = module.data.dynamodb.arn
  copy_vault_arn = module.backup_copy_vault[0].arn
  topic_arn      = module.observability.topic_arn
  every_hours    = var.backup_copy.every_hours
  days           = var.backup_copy.days
  disposable     = !var.deletion_protection
}

module "cluster" {
  source                 = "../../modules/aws/cluster-eks"
  name                   = local.name
  kubernetes_version     = var.cluster.version
  subnet_ids             = module.network.private_subnet_ids
  node_security_group_id = module.security.service_id
  kms_key_arn            = module.key.arn
  metrics_log_group      = module.observability.log_groups["metrics"]
  public_access          = var.cluster.public_access
  nodes                  = var.cluster.nodes
  architecture           = var.architecture
  tags                   = local.tags
  administrators         = var.cluster.administrators
  viewers                = var.cluster.viewers
  deployers              = var.cluster.deployers
}

module "identities" {
  source        = "../../modules/aws/identities-eks"
  name          = module.cluster.name
  oidc_provider = module.cluster.oidc_provider
  secret_arns   = values(module.data.secrets)
  kms_key_arns  = module.data.kms_key_arns
  # The job that migrates signs in to PostgreSQL by its URL, and to DynamoDB as itself.
  application_policies = { for account in var.dynamodb ? ["api", "worker", "migrate"] : ["api", "worker"] : account => module.data.service_policy }
}

module "request_logs" {
  source     = "../../modules/aws/request-logs"
  name       = "${local.name}-${local.account_id}-requests"
  disposable = !var.deletion_protection
}

module "observability" {
  source        = "../../modules/aws/observability"
  name          = local.name
  kms_key_arn   = module.key.arn
  log_groups    = ["metrics"]
  emails        = var.alarm_emails
  eks_cluster   = local.name
  load_balancer = var.load_balancer == null ? null : { suffix = var.load_balancer.suffix, target_groups = var.load_balancer.target_groups }
  database      = var.database == null ? null : { id = module.data.database.id, storage_gib = module.data.database.storage_gib, connections_max = var.database.connections_max }
  redis_nodes   = module.data.redis_nodes
  is_always_on  = var.off_hours == null
}

module "audit" {
  source      = "../../modules/aws/audit"
  count       = var.audit ? 1 : 0
  name        = local.name
  bucket_name = "${local.name}-${local.account_id}-audit"
  disposable  = !var.deletion_protection
}

module "budget" {
  source      = "../../modules/aws/budget"
  name        = local.name
  monthly_usd = var.monthly_usd
  tags        = { Environment = var.environment }
  topic_arn   = module.observability.topic_arn
}

module "schedule" {
  source       = "../../modules/aws/schedule"
  count        = var.off_hours == null ? 0 : 1
  name         = local.name
  environment  = var.environment
  node_groups  = module.cluster.node_groups
  database     = module.data.database
  has_database = var.database != null
  hours        = var.off_hours
  kms_key_arn  = module.key.arn
}
