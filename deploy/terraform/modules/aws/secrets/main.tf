ephemeral "aws_secretsmanager_random_password" "this" {
  for_each            = var.generated
  password_length     = 64
  exclude_punctuation = true
}

resource "aws_secretsmanager_secret" "this" {
  for_each                = setunion(keys(var.generated), var.provided)
  name                    = "${var.name}/${each.key}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.protected ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "generated" {
  for_each                 = var.generated
  secret_id                = aws_secretsmanager_secret.this[each.key].id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this[each.key].random_password
  secret_string_wo_version = each.value
}

resource "aws_secretsmanager_secret_rotation" "this" {
  for_each            = var.rotation
  secret_id           = aws_secretsmanager_secret.this[each.key].id
  rotation_lambda_arn = each.value.function_arn
  rotation_rules {
    automatically_after_days = each.value.days
  }
}
