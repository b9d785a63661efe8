module "vault" {
  source     = "../backup-vault"
  name       = var.name
  disposable = var.disposable
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-backup"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

# A restore is made with the same role, and with the permissions of the second policy.
resource "aws_iam_role_policy_attachment" "this" {
  for_each   = toset(["AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForRestores"])
  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/${each.value}"
}

# Backups of AWS Backup are whole each time; the one here only lives until it is copied, as point-in-time recovery of
# the table is finer.
resource "aws_backup_plan" "this" {
  name = var.name
  rule {
    rule_name         = "copy"
    target_vault_name = module.vault.name
    schedule          = "cron(0 ${join(",", range(0, 24, var.every_hours))} * * ? *)"
    start_window      = 60
    completion_window = 60 * max(2, var.every_hours)
    lifecycle {
      delete_after = 1
    }
    copy_action {
      destination_vault_arn = var.copy_vault_arn
      lifecycle {
        delete_after = var.days
      }
    }
  }
}

# Who relies on copies is told when there are none.
resource "aws_cloudwatch_event_rule" "failures" {
  name        = "${var.name}-failed-backups"
  description = "Failed backups and copies of the table of ${var.name}"
  event_pattern = jsonencode({
    source        = ["aws.backup"]
    "detail-type" = ["Backup Job State Change", "Copy Job State Change"]
    detail        = { state = ["FAILED", "ABORTED", "EXPIRED", "PARTIAL"], resourceArn = [var.table_arn] }
  })
}

resource "aws_cloudwatch_event_target" "failures" {
  rule = aws_cloudwatch_event_rule.failures.name
  arn  = var.topic_arn
}

resource "aws_backup_selection" "this" {
  name         = var.name
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.this.arn
  resources    = [var.table_arn]
}
