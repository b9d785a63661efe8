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

run "following_another_region" {
  command = plan
  variables {
    database = { class = "db.t4g.small", multi_az = true, replica_of = "arn:aws:rds:us-west-2:123456789012:db:outrigger-prod" }
  }
  assert {
    condition     = length(module.postgres) == 0 && length(module.replica) == 0 && length(module.standby) == 1
    error_message = "it follows, and has no replica of its own"
  }
  assert {
    condition     = contains(module.secrets.provided, "OUTRIGGER_SECRET") && contains(module.secrets.provided, "DATABASE_URL")
    error_message = "sign-in and signing keys are those of the database that it follows"
  }
}

run "rotated" {
  command = plan
  variables {
    rotation = { MAIL_URL = { function_arn = "arn:aws:lambda:us-east-1:123456789012:function:rotate", days = 30 } }
  }
  assert {
    condition     = module.secrets.rotated == toset(["MAIL_URL"])
    error_message = "a function changes the secret"
  }
}

run "on_dynamodb_with_mail" {
  command = apply
  variables {
    database        = null
    secrets         = ["DATABASE_URL"]
    dynamodb        = true
    mail_identities = ["example.com"]
  }
  assert {
    condition     = output.dynamodb.name == var.name && startswith(output.dynamodb.arn, "arn:aws:dynamodb:")
    error_message = "there is a table"
  }
  assert {
    condition     = toset([for s in jsondecode(output.service_policy).Statement : s.Sid if contains(flatten([s.Resource]), "*")]) == toset(["MailAccount"])
    error_message = "all else is about things of its own"
  }
}
