# A bucket in the other region, for the state of what stands there; the roles are those of the account.
region       = "us-west-2"
repository   = "outrigger-rs/outrigger"
environments = []
