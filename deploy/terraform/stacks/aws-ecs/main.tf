data "aws_caller_identity" "current" {}

locals {
  name       = "outrigger-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id
  url        = var.domain == null ? "http://${module.load_balancer.dns_name}" : "https://${var.domain.name}"
  limits = merge(
    { for key, role in var.roles : key => { min = role.min, max = role.max } },
    { for green in var.green[*] : "api-green" => { min = green.min, max = green.max } },
  )
  # As many as the CPU of a task, not as the machine below it has cores: each has connections of its own.
  threads = max(1, floor(max([for role in var.roles : role.cpu]...) / 512))
  # What a task opens: each thread that serves, one that watches and one that works have 2 connections for reads
  # and 4 for writes.
  opened = { for key, role in var.roles : key => (local.threads + (key == "worker" ? 2 : 1)) * 6 }
  settings = merge({
    OUTRIGGER_ENV                          = contains(["prod", "recovery"], var.environment) ? "production" : "development"
    OUTRIGGER_PUBLIC_URL                   = local.url
    PORT                                   = "8000"
    OUTRIGGER__HTTP__ADDRESS               = "0.0.0.0"
    OUTRIGGER__HTTP__FORWARDED_HOPS        = "1"
    OUTRIGGER__HTTP__HSTS                  = var.domain == null ? "false" : "true"
    OUTRIGGER__DEPLOYMENT__REPLICAS        = tostring(var.roles["api"].max + try(var.green.max, 0))
    OUTRIGGER__DATABASE__MIGRATE_ON_START  = "false"
    OUTRIGGER__DATABASE__WRITE_CONNECTIONS = tostring(4 * local.threads)
    OUTRIGGER__HTTP__THREADS               = tostring(local.threads)
    OUTRIGGER__LOG__FORMAT                 = "json"
    OUTRIGGER__METRICS__DEPLOYMENT         = local.name
    OUTRIGGER__METRICS__EMBEDDED_EVERY_S   = "30"
    BLOB_URL                               = "s3://${module.data.blobs.name}?region=${var.region}"
  }, var.dynamodb ? { DATABASE_URL = "dynamodb://${var.region}/${module.data.dynamodb.name}" } : {}, var.settings)
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
  source      = "../../modules/aws/network"
  name        = local.name
  cidr        = var.network.cidr
  zone_count  = var.network.zones
  nat         = var.network.nat
  kms_key_arn = module.key.arn
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

module "load_balancer" {
  source              = "../../modules/aws/load-balancer"
  name                = local.name
  environment         = var.environment
  vpc_id              = module.network.vpc_id
  subnet_ids          = module.network.public_subnet_ids
  security_group_id   = module.security.load_balancer_id
  has_certificate     = var.domain != null
  certificate_arn     = one(module.dns[*].certificate_arn)
  deletion_protection = var.deletion_protection
  green_percent       = var.green == null ? 0 : var.green.percent
  log_bucket_name     = "${local.name}-${local.account_id}-requests"
}

module "dns" {
  source        = "../../modules/aws/dns"
  count         = var.domain == null ? 0 : 1
  domain        = var.domain.name
  zone_id       = var.domain.zone_id
  load_balancer = var.domain.is_elsewhere ? null : { dns_name = module.load_balancer.dns_name, zone_id = module.load_balancer.zone_id }
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
  count      = var.recovery_region != null && var.database != null && try(var.database.replica_of, null) == null ? 1 : 0
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

module "observability" {
  source        = "../../modules/aws/observability"
  name          = local.name
  kms_key_arn   = module.key.arn
  emails        = var.alarm_emails
  ecs           = { cluster = local.name, services = { for role in keys(var.roles) : role => "${local.name}-${role}" } }
  load_balancer = { suffix = module.load_balancer.arn_suffix, target_groups = { for colour, group in module.load_balancer.target_groups : colour => group.suffix } }
  database      = var.database == null ? null : { id = module.data.database.id, storage_gib = module.data.database.storage_gib, connections_max = var.database.connections_max }
  redis_nodes   = module.data.redis_nodes
  memory_mib    = min([for role in var.roles : role.memory]...)
  is_always_on  = var.off_hours == null && var.roles["api"].min > 0
}

module "service" {
  source            = "../../modules/aws/service-ecs"
  name              = local.name
  image             = "${module.registry.url}:${var.release}"
  repository_arn    = module.registry.arn
  architecture      = var.architecture
  subnet_ids        = module.network.private_subnet_ids
  security_group_id = module.security.service_id
  target_group_arns = { for colour, group in module.load_balancer.target_groups : colour => group.arn }
  green_tasks       = try(var.green.min, null)
  settings          = local.settings
  secrets           = module.data.secrets
  kms_key_arns      = module.data.kms_key_arns
  roles             = { for key, role in var.roles : key => { cpu = role.cpu, memory = role.memory, tasks = role.min, spot_percent = role.spot_percent } }
  log_groups        = module.observability.log_groups
  rollback_alarms   = module.observability.rollback_alarms
  task_policy       = module.data.service_policy
}

module "autoscaling" {
  source         = "../../modules/aws/autoscaling-ecs"
  name           = local.name
  cluster_name   = module.service.cluster_name
  services       = module.service.services
  limits         = local.limits
  connections    = var.database == null ? null : { of = { for key in keys(local.limits) : key => local.opened[trimsuffix(key, "-green")] }, max = var.database.connections_max }
  request_labels = { for colour, group in module.load_balancer.target_groups : colour == "blue" ? "api" : "api-green" => "${module.load_balancer.arn_suffix}/${group.suffix}" }
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
  services     = module.autoscaling.resource_ids
  limits       = local.limits
  database     = module.data.database
  has_database = var.database != null
  hours        = var.off_hours
  kms_key_arn  = module.key.arn
}
