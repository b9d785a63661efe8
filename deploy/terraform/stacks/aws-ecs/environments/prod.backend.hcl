# The bucket that the stack aws-bootstrap made.
bucket       = "outrigger-state-123456789012-us-east-1"
key          = "aws-ecs/prod.tfstate"
region       = "us-east-1"
encrypt      = true
use_lockfile = true
