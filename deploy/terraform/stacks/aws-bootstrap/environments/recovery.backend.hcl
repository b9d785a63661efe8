# The bucket that the stack aws-bootstrap made.
bucket       = "outrigger-state-123456789012-us-west-2"
key          = "aws-bootstrap/recovery.tfstate"
region       = "us-west-2"
encrypt      = true
use_lockfile = true
