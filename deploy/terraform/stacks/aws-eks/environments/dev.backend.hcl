# The bucket that the stack aws-bootstrap made.
bucket       = "outrigger-state-123456789012-ap-southeast-1"
key          = "aws-eks/dev.tfstate"
region       = "ap-southeast-1"
encrypt      = true
use_lockfile = true
