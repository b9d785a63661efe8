# Three zones; the endpoint of the cluster is private: reach it from within the network.
environment         = "prod"
region              = "us-east-1"
recovery_region     = "us-west-2"
deletion_protection = true
monthly_usd         = 1500
alarm_emails        = ["operations@example.com"]
# The account of dev: releases are pushed here, and roll-outs there bring them.
registry_readers = ["123456789012"]

domain = { name = "api.example.com", zone_id = "Z0123456789ABCDEFGHIJ" }

cluster = {
  nodes = {
    steady = { types = ["m7g.large"], min = 3, max = 6 }
    spare  = { types = ["m7g.large", "m6g.large", "c7g.xlarge"], min = 0, max = 10, spot = true }
  }
  administrators = ["arn:aws:iam::123456789012:role/operators"]
  viewers        = ["arn:aws:iam::123456789012:role/developers"]
  deployers      = ["arn:aws:iam::123456789012:role/outrigger-ci-deploy"]
}

database = { class = "db.m7g.large", storage_gib = 100, multi_az = true, replica = true, connections_max = 800 }
redis    = { type = "cache.m7g.large", nodes = 2 }

# Put its value with: aws secretsmanager put-secret-value --secret-id outrigger-prod/MAIL_URL --secret-string smtps://…
secrets = ["MAIL_URL"]
