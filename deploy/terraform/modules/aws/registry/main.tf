data "aws_caller_identity" "current" {}

resource "aws_ecr_repository" "this" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.disposable
  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name
  policy = jsonencode({ rules = [
    {
      rulePriority = 1
      description  = "untagged images go after a week"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
      action       = { type = "expire" }
    },
    {
      rulePriority = 2
      description  = "the last ${var.kept} releases stay, with the images of architectures that they name"
      selection    = { tagStatus = "tagged", tagPatternList = ["v*"], countType = "imageCountMoreThan", countNumber = var.kept }
      action       = { type = "expire" }
    },
    {
      rulePriority = 3
      description  = "so do as many that were brought here, and signatures: of a release and of each image in it"
      selection    = { tagStatus = "tagged", tagPatternList = ["sha256-*"], countType = "imageCountMoreThan", countNumber = 6 * var.kept }
      action       = { type = "expire" }
    },
  ] })
}

data "aws_iam_policy_document" "readers" {
  count = length(var.reader_account_ids) > 0 ? 1 : 0
  statement {
    sid     = "Pull"
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    principals {
      type        = "AWS"
      identifiers = [for id in var.reader_account_ids : "arn:aws:iam::${id}:root"]
    }
  }
}

resource "aws_ecr_repository_policy" "readers" {
  count      = length(var.reader_account_ids) > 0 ? 1 : 0
  repository = aws_ecr_repository.this.name
  policy     = data.aws_iam_policy_document.readers[0].json
}

# There is one of these for an account and region.
resource "aws_ecr_replication_configuration" "this" {
  count = length(var.replica_regions) > 0 ? 1 : 0
  replication_configuration {
    rule {
      dynamic "destination" {
        for_each = var.replica_regions
        content {
          region      = destination.value
          registry_id = data.aws_caller_identity.current.account_id
        }
      }
      repository_filter {
        filter      = var.name
        filter_type = "PREFIX_MATCH"
      }
    }
  }
}
