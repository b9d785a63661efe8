provider "aws" {
  region = "us-west-2"
}

variables {
  name       = "outrigger-test"
  source_arn = "arn:aws:rds:us-east-1:123456789012:db:outrigger-test"
}

run "with_a_key_of_its_region" {
  command = apply
  assert {
    condition     = aws_db_instance_automated_backups_replication.this.kms_key_id == module.key.arn && aws_db_instance_automated_backups_replication.this.retention_period == 7
    error_message = "a week of backups, encrypted there"
  }
}

run "wrong_input" {
  command = plan
  variables {
    days = 0
  }
  expect_failures = [var.days]
}
