provider "aws" {
  region = "us-east-1"
}

variables {
  name                = "outrigger-test"
  environment         = "prod"
  account_id          = "123456789012"
  subnet_ids          = ["subnet-1", "subnet-2"]
  security_group_ids  = { postgres = "sg-1", redis = "sg-2" }
  kms_key_arn         = "arn:aws:kms:us-east-1:123456789012:key/1"
  deletion_protection = true
  database            = { class = "db.t4g.small", multi_az = true, replica = true }
  redis               = { type = "cache.t4g.small", nodes = 2 }
  secrets             = ["MAIL_URL"]
}

run "each_gives_its_setting" {
  command = apply
  assert {
    condition     = keys(output.secrets) == ["DATABASE_READONLY_URL", "DATABASE_URL", "MAIL_URL", "OUTRIGGER_SECRET", "REDIS_URL"]
    error_message = "settings are named as the binary names them"
  }
}

run "database_elsewhere" {
  command = plan
  variables {
    database = null
    secrets  = ["DATABASE_URL", "MAIL_URL"]
  }
  assert {
    condition     = output.database == null && length(module.postgres) == 0
    error_message = "there is none"
  }
}
