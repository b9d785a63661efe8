module "key" {
  source = "../key"
  name   = var.name
}

module "bucket" {
  source       = "../bucket"
  name         = var.name
  kms_key_arn  = module.key.arn
  archive_days = var.archive_days
  disposable   = var.disposable
  cors_origins = var.cors_origins
}

data "aws_iam_policy_document" "use" {
  statement {
    sid       = "Blobs"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    resources = ["${module.bucket.arn}/*"]
  }
  statement {
    sid       = "BlobList"
    actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [module.bucket.arn]
  }
  statement {
    sid       = "BlobKey"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [module.key.arn]
  }
}
