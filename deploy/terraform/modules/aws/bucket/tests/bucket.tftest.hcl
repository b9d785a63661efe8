provider "aws" {
  region = "us-east-1"
}

variables {
  name = "outrigger-test-123456789012"
}

run "private_encrypted_versioned" {
  command = apply
  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
    expire_days = 90
  }
  assert {
    condition     = alltrue([for block in [aws_s3_bucket_public_access_block.this] : block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets])
    error_message = "nothing in it can be made public"
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    error_message = "it is encrypted with the key"
  }
  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled" && !aws_s3_bucket.this.force_destroy
    error_message = "it keeps versions, and destroy does not empty it"
  }
  assert {
    condition     = strcontains(aws_s3_bucket_policy.this.policy, "aws:SecureTransport")
    error_message = "it refuses plain HTTP"
  }
  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.id] == ["leftovers", "expire"]
    error_message = "leftovers and old objects go"
  }
}

run "wrong_input" {
  command = plan
  variables {
    name         = "Out_Rigger"
    cors_origins = ["*"]
  }
  expect_failures = [var.name, var.cors_origins]
}
