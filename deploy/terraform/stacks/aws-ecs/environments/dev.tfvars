# South-East Asia, as cheap as it gets while every part is there: one NAT, one node each, nights and
# weekends off, workers on spare capacity. `destroy` leaves nothing.
environment         = "dev"
region              = "ap-southeast-1"
deletion_protection = false
release             = "v0.1.0"
monthly_usd         = 250

network = { zones = 2, nat = "one" }

roles = {
  api    = { cpu = 256, memory = 512, min = 1, max = 2 }
  worker = { cpu = 256, memory = 512, min = 1, max = 2, spot_percent = 100 }
}

database = { class = "db.t4g.micro", multi_az = false, connections_max = 80 }
redis    = { type = "cache.t4g.micro", nodes = 1 }

off_hours = { begin = 8, end = 20, time_zone = "Asia/Singapore" }
