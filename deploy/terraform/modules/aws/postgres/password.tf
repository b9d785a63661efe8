# Made by Secrets Manager, and read from there, so that an apply that stops halfway and is repeated
# gives database and URL the same one.
ephemeral "aws_secretsmanager_random_password" "this" {
  password_length     = 40
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  for_each                = toset(["DATABASE_PASSWORD", "DATABASE_URL"])
  name                    = "${var.name}/${each.key}"
  kms_key_id              = module.key.arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "password" {
  secret_id                = aws_secretsmanager_secret.this["DATABASE_PASSWORD"].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this.random_password
  secret_string_wo_version = var.password_version
}

ephemeral "aws_secretsmanager_secret_version" "password" {
  secret_id = aws_secretsmanager_secret_version.password.secret_id
}

resource "aws_secretsmanager_secret_version" "url" {
  secret_id                = aws_secretsmanager_secret.this["DATABASE_URL"].id
  secret_string_wo         = "postgres://${local.user}:${ephemeral.aws_secretsmanager_secret_version.password.secret_string}${local.url}"
  secret_string_wo_version = var.password_version
}
