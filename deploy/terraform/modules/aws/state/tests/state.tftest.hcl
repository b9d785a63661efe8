provider "aws" {
  region = "us-east-1"
}

run "named" {
  command = apply
  variables {
    bucket_name = "outrigger-state-123456789012"
  }
  assert {
    condition     = output.bucket.name == "outrigger-state-123456789012" && output.kms_key_arn != ""
    error_message = "the bucket has its key"
  }
}
