# Three zones, each with its own NAT; a standby of the database, a replica for lists, Redis with
# failover; copies of backups and images in another region.
environment         = "prod"
region              = "us-east-1"
recovery_region     = "us-west-2"
deletion_protection = true
release             = "v0.1.0"
monthly_usd         = 1200
alarm_emails        = ["operations@example.com"]
# The account of dev: releases are pushed here, and roll-outs there bring them.
registry_readers = ["123456789012"]

domain = { name = "api.example.com", zone_id = "Z0123456789ABCDEFGHIJ" }

roles = {
  api    = { cpu = 1024, memory = 2048, min = 3, max = 10 }
  worker = { cpu = 1024, memory = 2048, min = 2, max = 10, spot_percent = 50 }
}

database = { class = "db.m7g.large", storage_gib = 100, multi_az = true, replica = true, connections_max = 800 }
redis    = { type = "cache.m7g.large", nodes = 2 }

# Put its value with: aws secretsmanager put-secret-value --secret-id outrigger-prod/MAIL_URL --secret-string smtps://…
secrets = ["MAIL_URL"]

settings = { OUTRIGGER__MAIL__FROM = "Outrigger <outrigger@example.com>" }
