# The bucket that the stack aws-bootstrap made there.
bucket       = "outrigger-state-123456789012-us-west-2"
key          = "aws-ecs/recovery.tfstate"
region       = "us-west-2"
encrypt      = true
use_lockfile = true
