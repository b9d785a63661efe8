# It would keep the test from cleaning up.
override_module {
  target = module.guard
}

variables {
  environment         = "prod"
  region              = "us-east-1"
  deletion_protection = true
  monthly_usd         = 1000
  domain              = { name = "api.example.com", zone_id = "Z0123456789ABCDEFGHIJ" }
  cluster = {
    nodes          = { steady = { types = ["m7g.large"], min = 2, max = 6 } }
    administrators = ["arn:aws:iam::123456789012:role/operators"]
  }
  database = { class = "db.m7g.large", multi_az = true, connections_max = 800 }
  redis    = { type = "cache.m7g.large", nodes = 2 }
  secrets  = ["MAIL_URL"]
}

run "prod" {
  command = apply
  assert {
    condition     = keys(output.secrets) == ["DATABASE_URL", "MAIL_URL", "OUTRIGGER_SECRET", "REDIS_URL"] && keys(output.settings) == ["BLOB_URL"] && output.certificate_arn != null
    error_message = "secrets and certificate are there for the workloads"
  }
  assert {
    condition     = output.service_accounts["external-secrets"] == "external-secrets/external-secrets"
    error_message = "controllers know where to run"
  }
  assert {
    condition     = length(module.dns[0].names) == 0
    error_message = "the name leads nowhere until there is a load balancer"
  }
}

run "with_the_load_balancer_of_the_ingress" {
  command = plan
  variables {
    load_balancer = {
      suffix        = "app/k8s-outrigger/1"
      target_groups = { blue = "targetgroup/k8s-outrigger-api/1" }
      dns_name      = "k8s-outrigger-1.us-east-1.elb.amazonaws.com"
      zone_id       = "Z35SXDOTRQ7X7K"
    }
  }
  assert {
    condition     = tolist(module.dns[0].names) == tolist(["api.example.com"])
    error_message = "the name leads there"
  }
}

run "database_in_atlas" {
  command = plan
  variables {
    database = null
    secrets  = ["DATABASE_URL", "MAIL_URL"]
  }
  assert {
    condition     = module.data.database == null
    error_message = "there is none here"
  }
}

run "on_dynamodb" {
  command = apply
  variables {
    database        = null
    dynamodb        = true
    recovery_region = "us-west-2"
    backup_copy     = { days = 30, every_hours = 1 }
  }
  assert {
    condition     = keys(output.secrets) == ["MAIL_URL", "OUTRIGGER_SECRET", "REDIS_URL"] && output.settings["DATABASE_URL"] == "dynamodb://us-east-1/outrigger-prod"
    error_message = "the table needs no secret, and pods are told of it by a setting"
  }
  assert {
    condition     = contains(flatten([for s in jsondecode(module.data.service_policy).Statement : s.Action]), "dynamodb:ConditionCheckItem") && output.backends.postgres == null
    error_message = "pods may use the table, and there is no PostgreSQL"
  }
  assert {
    condition     = toset(keys(output.role_arns)) == toset(["api", "migrate", "worker"])
    error_message = "so may the job that migrates"
  }
  assert {
    condition     = length(module.dynamodb_backup_copy) == 1 && length(module.backup_copy) == 0
    error_message = "its backups are copied to the other region"
  }
}

run "two_databases" {
  command = plan
  variables {
    dynamodb = true
  }
  expect_failures = [var.dynamodb]
}

run "wrong_input" {
  command = plan
  variables {
    deletion_protection = false
    domain              = null
    database            = null
    cluster = {
      nodes          = { steady = { types = ["m7g.large"], min = 1, max = 1 } }
      administrators = []
    }
  }
  expect_failures = [var.deletion_protection, var.domain, var.cluster, var.dynamodb]
}
