resource "aws_elasticache_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  name   = "${var.name}-redis7"
  family = "redis7"
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

resource "aws_cloudwatch_log_group" "slow" {
  name              = "/${var.name}/redis/slow"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
}

ephemeral "aws_secretsmanager_random_password" "this" {
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  for_each                = toset(["REDIS_TOKEN", "REDIS_URL"])
  name                    = "${var.name}/${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "token" {
  secret_id                = aws_secretsmanager_secret.this["REDIS_TOKEN"].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this.random_password
  secret_string_wo_version = var.token_version
}

data "aws_secretsmanager_secret_version" "token" {
  secret_id  = aws_secretsmanager_secret_version.token.secret_id
  version_id = aws_secretsmanager_secret_version.token.version_id
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = var.name
  description                = "Cache, limits and queue of ${var.name}"
  engine                     = "redis"
  engine_version             = "7.1"
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  node_type                  = var.node_type
  num_cache_clusters         = var.nodes
  automatic_failover_enabled = var.nodes > 1
  multi_az_enabled           = var.nodes > 1
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.security_group_id]
  port                       = 6379

  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  auth_token                 = data.aws_secretsmanager_secret_version.token.secret_string
  auth_token_update_strategy = "ROTATE"
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn

  auto_minor_version_upgrade = true
  maintenance_window         = "sun:08:30-sun:09:30"
  snapshot_window            = "06:00-07:00"
  snapshot_retention_limit   = var.protected ? 7 : 1
  final_snapshot_identifier  = var.protected ? "${var.name}-last" : null

  log_delivery_configuration {
    log_type         = "slow-log"
    log_format       = "json"
    destination_type = "cloudwatch-logs"
    destination      = aws_cloudwatch_log_group.slow.name
  }
}

ephemeral "aws_secretsmanager_secret_version" "token" {
  secret_id = aws_secretsmanager_secret_version.token.secret_id
}

resource "aws_secretsmanager_secret_version" "url" {
  secret_id                = aws_secretsmanager_secret.this["REDIS_URL"].id
  secret_string_wo         = "rediss://:${ephemeral.aws_secretsmanager_secret_version.token.secret_string}@${aws_elasticache_replication_group.this.primary_endpoint_address}:6379"
  secret_string_wo_version = var.token_version
}
