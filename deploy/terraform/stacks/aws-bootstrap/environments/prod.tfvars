# The account of prod.
region       = "us-east-1"
repository   = "outrigger-rs/outrigger"
environments = ["prod"]
