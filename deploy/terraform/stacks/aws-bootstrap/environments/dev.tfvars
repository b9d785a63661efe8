# The account of dev.
region       = "ap-southeast-1"
repository   = "outrigger-rs/outrigger"
environments = ["dev"]

# Where the release pushes images: the account and region of prod, whose `registry_readers` name this account.
image_source_arns = ["arn:aws:ecr:us-east-1:123456789012:repository/outrigger-prod"]
