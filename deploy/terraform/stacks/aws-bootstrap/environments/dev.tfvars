# The account of dev.
region       = "ap-southeast-1"
repository   = "outrigger-rs/outrigger"
environments = ["dev"]
