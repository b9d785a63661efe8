provider "aws" {
  region = "us-east-1"
}

variables {
  name                = "outrigger-test"
  environment         = "prod"
  subnet_ids          = ["subnet-1", "subnet-2"]
  security_group_id   = "sg-1"
  instance_class      = "db.t4g.small"
  deletion_protection = true
  log_kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/1"
}

run "safe" {
  command = apply
  assert {
    condition     = !aws_db_instance.this.publicly_accessible && aws_db_instance.this.vpc_security_group_ids == toset(["sg-1"])
    error_message = "it has no public address and only its own group"
  }
  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.kms_key_id == module.key.arn && aws_db_instance.this.performance_insights_kms_key_id == module.key.arn
    error_message = "its own key encrypts it"
  }
  assert {
    condition     = aws_db_instance.this.multi_az && aws_db_instance.this.backup_retention_period >= 7
    error_message = "a standby takes over, and any point of the last week can be restored"
  }
  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && !aws_db_instance.this.delete_automated_backups
    error_message = "it is protected"
  }
  assert {
    condition     = contains([for p in aws_db_parameter_group.this.parameter : "${p.name}=${p.value}"], "rds.force_ssl=1")
    error_message = "it refuses connections without TLS"
  }
  assert {
    condition     = aws_db_instance.this.password == null && aws_secretsmanager_secret_version.url.secret_string == null && aws_secretsmanager_secret_version.password.secret_string == null
    error_message = "no state holds the password"
  }
  assert {
    condition     = strcontains(local.url, "sslmode=verify-full") && keys(output.secrets) == ["DATABASE_URL"]
    error_message = "the service verifies whom it speaks to"
  }
}

run "disposable_in_dev" {
  command = plan
  variables {
    environment         = "dev"
    deletion_protection = false
    multi_az            = false
  }
  assert {
    condition     = aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.delete_automated_backups && alltrue([for s in aws_secretsmanager_secret.this : s.recovery_window_in_days == 0])
    error_message = "destroy leaves nothing"
  }
}

run "wrong_input" {
  command = plan
  variables {
    subnet_ids          = ["subnet-1"]
    engine_version      = "9"
    instance_class      = "large"
    storage_gib         = { first = 10, most = 5 }
    multi_az            = false
    backup_days         = 1
    deletion_protection = false
  }
  expect_failures = [var.subnet_ids, var.engine_version, var.instance_class, var.storage_gib, var.multi_az, var.backup_days, var.deletion_protection]
}
