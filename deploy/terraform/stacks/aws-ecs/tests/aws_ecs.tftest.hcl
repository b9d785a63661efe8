# It would keep the test from cleaning up.
override_module {
  target = module.guard
}

variables {
  environment         = "prod"
  region              = "us-east-1"
  deletion_protection = true
  release             = "v0.1.0"
  monthly_usd         = 1000
  domain              = { name = "api.example.com", zone_id = "Z0123456789ABCDEFGHIJ" }
  roles = {
    api    = { cpu = 512, memory = 1024, min = 3, max = 10 }
    worker = { cpu = 512, memory = 1024, min = 2, max = 10, spot_percent = 50 }
  }
  database = { class = "db.m7g.large", storage_gib = 100, multi_az = true, connections_max = 800 }
  redis    = { type = "cache.m7g.large", nodes = 2 }
  secrets  = ["MAIL_URL"]
}

run "prod" {
  command = apply
  assert {
    condition     = output.url == "https://api.example.com" && output.services == "outrigger-prod-api outrigger-prod-worker" && output.migrate_task == "outrigger-prod-migrate"
    error_message = "the pipeline gets the names that it needs"
  }
  assert {
    condition     = alltrue([for task in output.environment : task.settings["OUTRIGGER_ENV"] == "production" && task.settings["OUTRIGGER_PUBLIC_URL"] == output.url && task.settings["OUTRIGGER__DEPLOYMENT__REPLICAS"] == "10"])
    error_message = "the process knows that it is production, where, and how many there may be"
  }
  assert {
    condition     = alltrue([for task in output.environment : task.settings["OUTRIGGER__METRICS__DEPLOYMENT"] == "outrigger-prod" && tonumber(task.settings["OUTRIGGER__METRICS__EMBEDDED_EVERY_S"]) <= 60])
    error_message = "each minute CloudWatch learns what alarms look at, under the name that they look for"
  }
  assert {
    condition     = alltrue([for task in output.environment : task.settings["BLOB_URL"] == "s3://outrigger-prod-123456789012-blobs?region=us-east-1"])
    error_message = "files are kept in the bucket"
  }
  assert {
    condition     = alltrue([for task in output.environment : task.settings["OUTRIGGER__HTTP__THREADS"] == "1" && task.settings["OUTRIGGER__DATABASE__WRITE_CONNECTIONS"] == "4"])
    error_message = "a process opens as many connections as its size needs"
  }
  assert {
    condition     = alltrue([for task in output.environment : keys(task.secrets) == ["DATABASE_URL", "MAIL_URL", "OUTRIGGER_SECRET", "REDIS_URL"] && alltrue([for arn in values(task.secrets) : startswith(arn, "arn:aws:secretsmanager:us-east-1:")])])
    error_message = "secrets are references"
  }
  assert {
    condition     = toset(jsondecode(output.migrate_network).awsvpcConfiguration.subnets) == toset(module.network.private_subnet_ids) && jsondecode(output.migrate_network).awsvpcConfiguration.assignPublicIp == "DISABLED"
    error_message = "migrations run in the private subnets"
  }
  assert {
    condition     = length(output.nat_addresses) == 3 && length(module.schedule) == 0
    error_message = "each zone goes out by itself, and prod does not sleep"
  }
}

run "dev_without_a_domain" {
  command = plan
  variables {
    environment         = "dev"
    region              = "ap-southeast-1"
    deletion_protection = false
    domain              = null
    secrets             = []
    network             = { zones = 2, nat = "one" }
    database            = { class = "db.t4g.micro", multi_az = false, connections_max = 80 }
    redis               = { type = "cache.t4g.micro", nodes = 1 }
    off_hours           = { begin = 8, end = 20, time_zone = "Asia/Singapore" }
    roles = {
      api    = { cpu = 256, memory = 512, min = 1, max = 2 }
      worker = { cpu = 256, memory = 512, min = 1, max = 2 }
    }
  }
  assert {
    condition     = module.schedule[0].times.stop == "cron(15 20 ? * MON-FRI *)" && length(module.dns) == 0
    error_message = "nights are off"
  }
}

run "prod_on_dynamodb" {
  command = apply
  variables {
    database        = null
    dynamodb        = true
    recovery_region = "us-west-2"
  }
  assert {
    condition     = alltrue([for task in output.environment : task.settings["DATABASE_URL"] == "dynamodb://us-east-1/outrigger-prod" && keys(task.secrets) == ["MAIL_URL", "OUTRIGGER_SECRET", "REDIS_URL"]])
    error_message = "the process is told of the table, which needs no secret"
  }
  assert {
    condition     = contains(flatten([for s in jsondecode(module.data.service_policy).Statement : s.Action]), "dynamodb:ConditionCheckItem") && module.data.database == null && output.database == null
    error_message = "tasks may use the table, and there is no PostgreSQL"
  }
  assert {
    condition     = length(module.dynamodb_backup_copy) == 1 && module.backup_copy_vault[0].name == "outrigger-prod" && length(module.backup_copy) == 0
    error_message = "its backups are copied to the other region"
  }
}

run "on_dynamodb_in_one_region" {
  command = plan
  variables {
    database = null
    dynamodb = true
  }
  assert {
    condition     = length(module.dynamodb_backup_copy) == 0 && length(module.backup_copy_vault) == 0
    error_message = "without another region there are no copies"
  }
}

run "two_databases" {
  command = plan
  variables {
    dynamodb = true
  }
  expect_failures = [var.dynamodb]
}

run "no_database" {
  command = plan
  variables {
    database = null
  }
  expect_failures = [var.dynamodb]
}

run "prod_without_protection" {
  command = plan
  variables {
    deletion_protection = false
    domain              = null
    secrets             = []
    database            = { class = "db.m7g.large", multi_az = true, replica = true, connections_max = 800 }
    off_hours           = { begin = 8, end = 20, time_zone = "UTC" }
    roles = {
      api    = { cpu = 512, memory = 1024, min = 1, max = 1 }
      worker = { cpu = 512, memory = 1024, min = 1, max = 1 }
    }
  }
  expect_failures = [var.deletion_protection, var.domain, var.secrets, var.roles, var.off_hours]
}

run "a_second_set_of_the_api" {
  command = plan
  variables {
    green = { percent = 10, min = 1, max = 10 }
  }
  assert {
    condition     = output.green_service == "outrigger-prod-api-green" && output.services == "outrigger-prod-api outrigger-prod-worker" && output.environment["api"].settings["OUTRIGGER__DEPLOYMENT__REPLICAS"] == "20"
    error_message = "it is rolled out by itself, and counts as a part of the fleet"
  }
}

run "the_other_region" {
  command = plan
  variables {
    environment     = "recovery"
    region          = "us-west-2"
    recovery_region = null
    domain          = { name = "api.example.com", zone_id = "Z0123456789ABCDEFGHIJ", is_elsewhere = true }
    database        = { class = "db.m7g.large", multi_az = false, replica_of = "arn:aws:rds:us-east-1:123456789012:db:outrigger-prod", connections_max = 800 }
    roles = {
      api    = { cpu = 512, memory = 1024, min = 0, max = 10 }
      worker = { cpu = 512, memory = 1024, min = 0, max = 10 }
    }
  }
  assert {
    condition     = output.environment["api"].settings["OUTRIGGER_ENV"] == "production" && toset(keys(output.environment["api"].secrets)) == toset(["DATABASE_URL", "MAIL_URL", "OUTRIGGER_SECRET", "REDIS_URL"])
    error_message = "it is production, with the same settings"
  }
  assert {
    condition     = length(module.dns[0].names) == 0 && length(module.backup_copy) == 0
    error_message = "the name still leads to the first region"
  }
}

run "wrong_places" {
  command = plan
  variables {
    environment = "Production!"
    region      = "mars"
  }
  expect_failures = [var.environment, var.region]
}

run "recovery_in_the_same_region" {
  command = plan
  variables {
    recovery_region = "us-east-1"
    green           = { percent = 101, min = 0, max = 0 }
    database        = { class = "db.m7g.large", multi_az = true, replica = true, replica_of = "arn:aws:rds:us-east-1:123456789012:db:other", connections_max = 800 }
  }
  expect_failures = [var.recovery_region, var.green, var.database]
}
