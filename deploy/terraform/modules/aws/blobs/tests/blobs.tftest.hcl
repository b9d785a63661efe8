provider "aws" {
  region = "us-east-1"
}

run "only_what_is_needed" {
  command = apply
  variables {
    name = "outrigger-test-123456789012-blobs"
  }
  assert {
    condition     = alltrue([for s in jsondecode(output.policy).Statement : s.Resource != "*"])
    error_message = "the policy names the bucket and the key"
  }
  assert {
    condition     = !contains(flatten([for s in jsondecode(output.policy).Statement : s.Action]), "s3:*") && output.name == var.name
    error_message = "and only what a process does"
  }
  assert {
    condition     = alltrue([for action in ["s3:AbortMultipartUpload", "s3:ListBucketMultipartUploads"] : contains(flatten([for s in jsondecode(output.policy).Statement : s.Action]), action)])
    error_message = "a process takes back what a killed one has begun to upload"
  }
}
