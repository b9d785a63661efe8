data "aws_caller_identity" "current" {}

locals {
  bucket = "arn:aws:s3:::${var.bucket_name}"
  logs   = "${local.bucket}/AWSLogs/${data.aws_caller_identity.current.account_id}/*"
}

module "key" {
  source   = "../key"
  name     = "${var.name}-audit"
  services = ["cloudtrail.amazonaws.com", "config.amazonaws.com"]
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "Check"
    actions   = ["s3:GetBucketAcl", "s3:ListBucket"]
    resources = [local.bucket]
    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com", "config.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
  statement {
    sid       = "Write"
    actions   = ["s3:PutObject"]
    resources = [local.logs]
    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com", "config.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

module "bucket" {
  source      = "../bucket"
  name        = var.bucket_name
  kms_key_arn = module.key.arn
  expire_days = var.days
  disposable  = var.disposable
  policies    = [data.aws_iam_policy_document.bucket.json]
}

resource "aws_cloudtrail" "this" {
  name                          = var.name
  s3_bucket_name                = module.bucket.name
  kms_key_id                    = module.key.arn
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
}

resource "aws_iam_role" "config" {
  count = var.config ? 1 : 0
  name  = "${var.name}-config"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "config.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy_attachment" "config" {
  count      = var.config ? 1 : 0
  role       = aws_iam_role.config[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWS_ConfigRole"
}

resource "aws_config_configuration_recorder" "this" {
  count    = var.config ? 1 : 0
  name     = var.name
  role_arn = aws_iam_role.config[0].arn
  recording_group {
    all_supported                 = true
    include_global_resource_types = true
  }
}

resource "aws_config_delivery_channel" "this" {
  count          = var.config ? 1 : 0
  name           = var.name
  s3_bucket_name = module.bucket.name
  s3_kms_key_arn = module.key.arn
  depends_on     = [aws_config_configuration_recorder.this]
}

resource "aws_config_configuration_recorder_status" "this" {
  count      = var.config ? 1 : 0
  name       = aws_config_configuration_recorder.this[0].name
  is_enabled = true
  depends_on = [aws_config_delivery_channel.this, aws_iam_role_policy_attachment.config]
}
