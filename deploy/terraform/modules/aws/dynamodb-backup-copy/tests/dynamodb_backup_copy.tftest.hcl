provider "aws" {
  region = "us-east-1"
}

variables {
  name           = "outrigger-test"
  table_arn      = "arn:aws:dynamodb:us-east-1:123456789012:table/outrigger-test"
  topic_arn      = "arn:aws:sns:us-east-1:123456789012:outrigger-test-alarms"
  copy_vault_arn = "arn:aws:backup:us-west-2:123456789012:backup-vault:outrigger-test"
}

run "copied_every_six_hours_and_kept_a_week" {
  command = apply
  assert {
    condition     = one(aws_backup_plan.this.rule).schedule == "cron(0 0,6,12,18 * * ? *)" && one(aws_backup_plan.this.rule).target_vault_name == "outrigger-test"
    error_message = "four times a day, first to a vault here"
  }
  assert {
    condition     = one(one(aws_backup_plan.this.rule).copy_action).destination_vault_arn == var.copy_vault_arn && one(one(one(aws_backup_plan.this.rule).copy_action).lifecycle).delete_after == 7
    error_message = "then to the other region, for a week"
  }
  assert {
    condition     = aws_backup_selection.this.resources == toset([var.table_arn]) && aws_backup_selection.this.iam_role_arn == output.role_arn
    error_message = "of this table alone"
  }
  assert {
    condition     = keys(aws_iam_role_policy_attachment.this) == ["AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForRestores"]
    error_message = "the role makes backups and restores"
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.failures.event_pattern).detail.resourceArn == [var.table_arn] && aws_cloudwatch_event_target.failures.arn == var.topic_arn
    error_message = "people are told of those that fail"
  }
}

run "each_hour" {
  command = plan
  variables {
    every_hours = 1
    days        = 1
  }
  assert {
    condition     = startswith(one(aws_backup_plan.this.rule).schedule, "cron(0 0,1,2,3,") && one(aws_backup_plan.this.rule).completion_window == 120
    error_message = "as often as AWS Backup can, and given up before long"
  }
}

run "wrong_input" {
  command = plan
  variables {
    every_hours = 5
    days        = 0
  }
  expect_failures = [var.every_hours, var.days]
}
