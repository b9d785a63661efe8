# South-East Asia, small: one NAT, one node each, workers on spare capacity.
environment         = "dev"
region              = "ap-southeast-1"
deletion_protection = false
monthly_usd         = 300

network = { zones = 2, nat = "one" }

cluster = {
  nodes = {
    steady = { types = ["t4g.medium"], min = 1, max = 2 }
    spare  = { types = ["t4g.medium", "t4g.large"], min = 1, max = 4, spot = true }
  }
  public_access  = ["203.0.113.0/24"]
  administrators = ["arn:aws:iam::123456789012:role/operators"]
  deployers      = ["arn:aws:iam::123456789012:role/outrigger-ci-deploy"]
}

database = { class = "db.t4g.micro", multi_az = false, connections_max = 80 }
redis    = { type = "cache.t4g.micro", nodes = 1 }

off_hours = { begin = 8, end = 20, time_zone = "Asia/Singapore" }
