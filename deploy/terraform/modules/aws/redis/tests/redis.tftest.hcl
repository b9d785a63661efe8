provider "aws" {
  region = "us-east-1"
}

variables {
  name              = "outrigger-test"
  environment       = "prod"
  subnet_ids        = ["subnet-1", "subnet-2"]
  security_group_id = "sg-1"
  node_type         = "cache.t4g.small"
  kms_key_arn       = "arn:aws:kms:us-east-1:123456789012:key/1"
  protected         = true
}

run "safe" {
  command = apply
  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.at_rest_encryption_enabled && aws_elasticache_replication_group.this.kms_key_id == var.kms_key_arn && aws_elasticache_replication_group.this.auth_token != null
    error_message = "it is encrypted on the way and at rest, and asks for a token"
  }
  assert {
    condition     = aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled && aws_elasticache_replication_group.this.num_cache_clusters == 2
    error_message = "a replica in another zone takes over"
  }
  assert {
    condition     = [for p in aws_elasticache_parameter_group.this.parameter : "${p.name}=${p.value}"] == ["maxmemory-policy=noeviction"]
    error_message = "tasks are not evicted"
  }
  assert {
    condition     = aws_secretsmanager_secret_version.url.secret_string == null && keys(output.secrets) == ["REDIS_URL"] && output.node_ids == ["outrigger-test-001", "outrigger-test-002"]
    error_message = "the URL is a secret"
  }
}

run "wrong_input" {
  command = plan
  variables {
    subnet_ids = ["subnet-1"]
    node_type  = "small"
    nodes      = 1
    protected  = false
  }
  expect_failures = [var.subnet_ids, var.node_type, var.nodes, var.protected]
}
