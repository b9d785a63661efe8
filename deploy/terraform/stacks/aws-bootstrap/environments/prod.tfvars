# The account of prod.
region       = "us-east-1"
repository   = "outrigger-rs/outrigger"
environments = ["prod"]

# The release pushes images here, to outrigger-prod.
push_environment = "registry"
