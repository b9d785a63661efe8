provider "aws" {
  region = "us-east-1"
}

variables {
  name                = "outrigger-test-replica"
  database            = "outrigger-test"
  instance_class      = "db.t4g.small"
  security_group_id   = "sg-1"
  kms_key_arn         = "arn:aws:kms:us-east-1:123456789012:key/1"
  deletion_protection = true
}

run "in_the_same_region" {
  command = apply
  variables {
    password_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:outrigger-test/DATABASE_URL"
  }
  assert {
    condition     = !aws_db_instance.this.publicly_accessible && aws_db_instance.this.storage_encrypted && length(aws_db_subnet_group.this) == 0
    error_message = "it is private, encrypted, and stands beside the database"
  }
  assert {
    condition     = aws_db_instance.this.replicate_source_db == "outrigger-test" && aws_db_instance.this.kms_key_id != var.kms_key_arn && aws_db_instance.this.performance_insights_kms_key_id == var.kms_key_arn
    error_message = "AWS takes the source's identifier and its key of storage, and refuses others"
  }
  assert {
    condition     = keys(output.secrets) == ["DATABASE_READONLY_URL"] && aws_secretsmanager_secret_version.url[0].secret_string == null
    error_message = "its URL is a secret that no state holds"
  }
}

run "in_another_region" {
  command = plan
  variables {
    database   = "arn:aws:rds:us-west-2:123456789012:db:outrigger-test"
    subnet_ids = ["subnet-1", "subnet-2"]
  }
  assert {
    condition     = length(aws_db_subnet_group.this) == 1 && length(output.secrets) == 0
    error_message = "it stands in the subnets there"
  }
  assert {
    condition     = aws_db_instance.this.replicate_source_db == var.database && aws_db_instance.this.kms_key_id == var.kms_key_arn
    error_message = "it is encrypted by a key of that region"
  }
}

run "promoted" {
  command = plan
  variables {
    database   = "arn:aws:rds:us-west-2:123456789012:db:outrigger-test"
    subnet_ids = ["subnet-1", "subnet-2"]
    promoted   = true
    multi_az   = true
  }
  assert {
    condition     = aws_db_instance.this.replicate_source_db == null && aws_db_instance.this.backup_retention_period == 7 && aws_db_instance.this.multi_az
    error_message = "it follows nobody, has backups and a standby"
  }
}

run "wrong_input" {
  command = plan
  variables {
    database   = "arn:aws:rds:us-west-2:123456789012:db:outrigger-test"
    subnet_ids = ["subnet-1"]
  }
  expect_failures = [var.subnet_ids]
}

run "an_arn_in_the_same_region" {
  command = plan
  variables {
    database            = "arn:aws:rds:us-east-1:123456789012:db:outrigger-test"
    password_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:outrigger-test/DATABASE_URL"
  }
  expect_failures = [var.database]
}
