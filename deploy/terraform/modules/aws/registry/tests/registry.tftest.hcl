provider "aws" {
  region = "us-east-1"
}

variables {
  name        = "outrigger-test"
  kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1"
}

run "tags_do_not_move" {
  command = apply
  variables {
    replica_regions = ["ap-southeast-1"]
  }
  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push && !aws_ecr_repository.this.force_delete
    error_message = "tags stay, images are scanned, and destroy is refused while there are images"
  }
  assert {
    condition     = aws_ecr_repository.this.encryption_configuration[0].encryption_type == "KMS"
    error_message = "it is encrypted with the key"
  }
  assert {
    condition     = { for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : try(rule.selection.tagPatternList[0], rule.selection.tagStatus) => rule.selection.countNumber } == { untagged = 7, "v*" = 50, "sha256-*" = 300 }
    error_message = "releases are counted, not the parts of them"
  }
  assert {
    condition     = [for d in aws_ecr_replication_configuration.this[0].replication_configuration[0].rule[0].destination : d.region] == ["ap-southeast-1"]
    error_message = "the other region has a copy"
  }
}

run "other_accounts_read" {
  command = apply
  variables {
    reader_account_ids = ["210987654321"]
  }
  assert {
    condition = [for s in jsondecode(aws_ecr_repository_policy.readers[0].policy).Statement : s] == [{
      Sid    = "Pull", Effect = "Allow", Principal = { AWS = "arn:aws:iam::210987654321:root" }
      Action = ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability"]
    }]
    error_message = "they pull, and can change nothing"
  }
}

run "wrong_input" {
  command = plan
  variables {
    kept               = 1
    reader_account_ids = ["everybody"]
  }
  expect_failures = [var.kept, var.reader_account_ids]
}
