terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
  # environments/*.backend.hcl says where.
  backend "s3" {}
}

locals {
  tags = { Project = "outrigger", Environment = var.environment, Stack = "aws-eks", ManagedBy = "terraform" }
}

provider "aws" {
  region = var.region
  default_tags {
    tags = local.tags
  }
}

# Where backups are copied to; the same region when they are not.
provider "aws" {
  alias  = "recovery"
  region = coalesce(var.recovery_region, var.region)
  default_tags {
    tags = local.tags
  }
}
