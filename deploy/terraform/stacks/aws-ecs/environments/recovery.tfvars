# The other region of prod, small until it is needed (docs/operations/regional-loss.md): a replica that
# follows prod's database, the network, the load balancer, Redis, and no tasks. In a loss the replica is
# promoted and `min` raised.
environment         = "recovery"
region              = "us-west-2"
deletion_protection = true
release             = "v0.1.0"
monthly_usd         = 450
alarm_emails        = ["operations@example.com"]
# The trail of prod covers all regions.
audit = false

network = { cidr = "10.1.0.0/16", nat = "one" }
domain  = { name = "api.example.com", zone_id = "Z0123456789ABCDEFGHIJ", is_elsewhere = true }

roles = {
  api    = { cpu = 1024, memory = 2048, min = 0, max = 10 }
  worker = { cpu = 1024, memory = 2048, min = 0, max = 10 }
}

# The output `database` of prod.
database = { class = "db.m7g.large", multi_az = false, replica_of = "arn:aws:rds:us-east-1:123456789012:db:outrigger-prod", connections_max = 800 }
redis    = { type = "cache.m7g.large", nodes = 1 }

# DATABASE_URL and OUTRIGGER_SECRET are wanted as well: prod's, with the host of the output `database`.
secrets = ["MAIL_URL"]

settings = { OUTRIGGER__MAIL__FROM = "Outrigger <outrigger@example.com>" }
