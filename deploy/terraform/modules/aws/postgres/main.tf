locals {
  user    = "outrigger"
  exports = ["postgresql", "upgrade"]
  url     = "@${aws_db_instance.this.endpoint}/${aws_db_instance.this.db_name}?sslmode=verify-full"
}

module "key" {
  source = "../key"
  name   = "${var.name}-postgres"
}

resource "aws_db_subnet_group" "this" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${var.name}-"
  family      = "postgres${var.engine_version}"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
  parameter {
    name  = "log_min_duration_statement"
    value = "500"
  }
  parameter {
    name  = "idle_in_transaction_session_timeout"
    value = "60000"
  }
  lifecycle {
    create_before_destroy = true
  }
}

# RDS would make them itself, and leave them behind.
resource "aws_cloudwatch_log_group" "this" {
  for_each          = toset(local.exports)
  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = 30
  kms_key_id        = var.log_kms_key_arn
}

resource "aws_iam_role" "monitoring" {
  name = "${var.name}-postgres-monitoring"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "monitoring.rds.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "this" {
  identifier            = var.name
  engine                = "postgres"
  engine_version        = var.engine_version
  instance_class        = var.instance_class
  parameter_group_name  = aws_db_parameter_group.this.name
  ca_cert_identifier    = "rds-ca-rsa2048-g1"
  db_name               = "outrigger"
  username              = local.user
  password_wo           = ephemeral.aws_secretsmanager_secret_version.password.secret_string
  password_wo_version   = var.password_version
  storage_type          = "gp3"
  allocated_storage     = var.storage_gib.first
  max_allocated_storage = var.storage_gib.most
  storage_encrypted     = true
  kms_key_id            = module.key.arn

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [var.security_group_id]
  publicly_accessible    = false

  backup_retention_period = var.backup_days
  # Night in America, and day in South-East Asia, where a database that sleeps at night is awake.
  backup_window              = "06:00-07:00"
  maintenance_window         = "sun:07:30-sun:08:30"
  auto_minor_version_upgrade = true
  copy_tags_to_snapshot      = true
  delete_automated_backups   = !var.deletion_protection
  deletion_protection        = var.deletion_protection
  skip_final_snapshot        = !var.deletion_protection
  final_snapshot_identifier  = var.deletion_protection ? "${var.name}-last" : null

  performance_insights_enabled    = true
  performance_insights_kms_key_id = module.key.arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports = local.exports

  depends_on = [aws_cloudwatch_log_group.this]
}
